//! The servers: where they are, and how to sign in.

use bytes::Bytes;
use conformance::Pending;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;

/// One of them.
pub(crate) struct Server {
    /// `ministack`, `localstack`, `ceph` or `moto`.
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) region: String,
    /// An access key's id and secret.
    pub(crate) keys: [String; 2],
}

/// A JSON file that an environment variable names. A test that cannot run must not look as if it had.
fn read(variable: &str) -> Value {
    let Some(path) = std::env::var_os(variable) else {
        panic!("{variable} is not set: run these tests with `cargo xtask test`");
    };
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(about: &Value, name: &str) -> String {
    about[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {about}"))
        .to_owned()
}

impl Server {
    /// The emulator that `cargo xtask test` started.
    pub(crate) fn under_test() -> Self {
        let about = read("LONGSHORE_STACK");
        Self {
            name: text(&about, "emulator"),
            endpoint: text(&about, "endpoint"),
            region: text(&about, "region"),
            keys: ["test".to_owned(), "test".to_owned()],
        }
    }

    /// The Ceph that it started.
    pub(crate) fn ceph() -> Self {
        let about = read("LONGSHORE_CEPH");
        Self {
            name: "ceph".to_owned(),
            endpoint: text(&about, "endpoint"),
            region: "us-east-1".to_owned(),
            keys: [text(&about, "access_key_id"), text(&about, "secret_access_key")],
        }
    }
}

/// A name that nothing else there has.
pub(crate) fn new_name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("conformance-{now:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Sends a request as it is, over a connection of its own.
pub(crate) fn send(request: Request<Bytes>) -> Pending<'static, Response<Bytes>> {
    Box::pin(async move {
        let authority = request.uri().authority().unwrap().to_string();
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().unwrap().as_str().parse();
        parts.uri = path.unwrap();
        parts.headers.insert("host", authority.parse().unwrap());
        if !parts.headers.contains_key("content-length") {
            parts.headers.insert("content-length", body.len().into());
        }
        let stream = TcpStream::connect(&authority).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::from_parts(parts, Full::new(body));
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        connection.abort();
        Response::from_parts(parts, body)
    })
}
