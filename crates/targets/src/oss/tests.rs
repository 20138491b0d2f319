//! What is sent to OSS when it does not answer.

use super::*;
use aws_sdk_s3::primitives::ByteStream;
use domain::content::PartDigest;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A server that takes requests and closes the connection. Returns its port, and the head of each request.
async fn silent() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heads, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            heads.send(String::from_utf8(head).unwrap()).unwrap();
        }
    });
    (port, seen)
}

fn hello() -> Copy {
    Copy {
        source: ByteStream::from_static(b"hello"),
        length: 5,
        digest: PartDigest::of(b"hello"),
    }
}

#[tokio::test]
async fn what_was_not_answered_may_be_written_over() {
    let (port, mut seen) = silent().await;
    let mut settings = crate::for_tests::target(&format!("http://127.0.0.1:{port}"));
    settings.addressing = targets::Addressing::Path;
    let target = OssTarget::new(&settings, Arc::default(), &crate::for_tests::environment()).unwrap();
    let mut forbids = async |key| {
        let error = target.put(key, hello()).await.unwrap_err();
        assert_eq!(error.failure(), Some(Failure::Passing), "{error}");
        let head = seen.recv().await.unwrap();
        assert!(head.starts_with(&format!("PUT /bucket/{key} ")), "{head}");
        head.contains("x-oss-forbid-overwrite: true\r\n")
    };
    assert!(forbids("a").await);
    assert!(!forbids("a").await);
    assert!(forbids("b").await, "another key is another one");
}
