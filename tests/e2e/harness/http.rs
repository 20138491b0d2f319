//! Plain HTTP/1.1, one connection per request, everything sent exactly as given.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header's text, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as text, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} without JSON ({error}): {}", self.status, self.text()))
    }

    /// Stops unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Sends a request to an `http://` URL and reads the answer.
pub(crate) async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let rest = url
        .strip_prefix("http://")
        .unwrap_or_else(|| panic!("not plain HTTP: {url}"));
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let mut request = Request::builder()
        .method(method)
        .uri(if path.is_empty() { "/" } else { path });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body: Bytes = body.into();
    let given = request.headers_ref().unwrap();
    if !given.contains_key(HOST) {
        request = request.header(HOST, authority);
    }
    let given = request.headers_ref().unwrap();
    if !given.contains_key(CONTENT_LENGTH) {
        request = request.header(CONTENT_LENGTH, body.len());
    }
    let request = request.body(Full::new(body)).unwrap();
    let answer = exchange(authority, request)
        .await
        .unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let (head, body) = answer.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    }
}

/// Sends a request to whoever listens at `authority`.
pub(crate) async fn exchange(
    authority: &str,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}
