//! Targets that take bytes slowly, or not at all any more.

use crate::ceph::CephTarget;
use crate::oss::OssTarget;
use crate::rate_limiter::RateLimiter;
use crate::target::{Copy, ReplicaTarget};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Xz;
use domain::content::PartDigest;
use domain::targets::{Addressing, Checksum};
use md5::{Digest, Md5};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

/// The progress time-out here.
const TIMEOUT: Duration = Duration::from_millis(400);

/// What a server does with the body of each request.
#[derive(Clone, Copy)]
enum ServerBehavior {
    /// It reads so many bytes, and waits for a while.
    Slow(usize, Duration),
    /// It reads none, and never answers.
    Hangs,
}

fn answer(bytes: &[u8]) -> String {
    let mut etag = String::new();
    for byte in Md5::digest(bytes) {
        let _ = write!(etag, "{byte:02X}");
    }
    let crc64 = crc_fast::checksum(Crc64Xz, bytes);
    let etag = etag.to_lowercase();
    format!(
        "HTTP/1.1 200 OK\r\netag: \"{etag}\"\r\nx-oss-hash-crc64ecma: {crc64}\r\ncontent-length: 0\r\n\r\n"
    )
}

async fn serve(mut stream: TcpStream, behavior: ServerBehavior, bytes: Bytes) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let ServerBehavior::Slow(piece, pause) = behavior else {
        return std::future::pending().await;
    };
    let (mut left, mut buffer) = (bytes.len(), vec![0; piece]);
    while left > 0 {
        let Ok(length @ 1..) = stream.read(&mut buffer[..piece.min(left)]).await else {
            return;
        };
        left -= length;
        sleep(pause).await;
    }
    let _ = stream.write_all(answer(&bytes).as_bytes()).await;
}

/// Both kinds of target, at a server with this habit.
async fn targets(behavior: ServerBehavior, bytes: &Bytes) -> [Box<dyn ReplicaTarget>; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let bytes = bytes.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, behavior, bytes.clone()));
        }
    });
    let mut settings = crate::for_tests::target(&format!("http://127.0.0.1:{port}"));
    settings.addressing = Addressing::Path;
    let environment = crate::for_tests::environment();
    let rate_limiter = || Arc::new(RateLimiter::new(None).with_timeout(TIMEOUT));
    [
        Box::new(CephTarget::new(&settings, Checksum::Md5, rate_limiter(), &environment).unwrap()),
        Box::new(OssTarget::new(&settings, rate_limiter(), &environment).unwrap()),
    ]
}

fn copy(bytes: &Bytes) -> Copy {
    let pieces: Vec<_> = bytes
        .chunks(16 * 1024)
        .map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(bytes.slice_ref(piece))))
        .collect();
    let body = http_body_util::StreamBody::new(futures::stream::iter(pieces));
    Copy {
        source: ByteStream::from_body_1_x(body),
        length: bytes.len() as u64,
        digest: PartDigest::of(bytes),
    }
}

#[tokio::test]
async fn one_that_moves_may_take_longer_than_anybody_waits_for_it_to_move() {
    let bytes = Bytes::from(vec![7; 16 << 20]);
    let behavior = ServerBehavior::Slow(256 << 10, Duration::from_millis(20));
    let targets = targets(behavior, &bytes).await;
    let puts = targets.iter().map(async |target| {
        let begun = Instant::now();
        target.put_part("key", "id", 1, copy(&bytes)).await.unwrap();
        assert!(begun.elapsed() > 2 * TIMEOUT, "{:?}", begun.elapsed());
    });
    futures::future::join_all(puts).await;
}

#[tokio::test]
async fn one_that_takes_nothing_any_more_is_given_up_and_it_is_said_where() {
    let bytes = Bytes::from(vec![7; 16 << 10]);
    for target in targets(ServerBehavior::Hangs, &bytes).await {
        let begun = Instant::now();
        let error = target.put("key", copy(&bytes)).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        assert!(error.to_string().contains("no progress for"), "{error}");
        let told = error.for_log();
        assert!(told.contains("of 16384 bytes were taken"), "{told}");
        assert!(told.contains("32768 bytes a second"), "{told}");
    }
}
