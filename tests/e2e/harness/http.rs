//! HTTP/1.1, one connection per request, everything sent exactly as given.

use super::documented;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::ConfigVerifierExt;
use serde_json::Value;
use std::error::Error;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpResponse {
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

/// Longer than any gateway waits.
const TIMEOUT: Duration = Duration::from_mins(2);

type Failure = Box<dyn Error + Send + Sync>;

/// Sends a request and reads the answer.
pub(crate) async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> HttpResponse {
    let uri: Uri = url
        .parse()
        .unwrap_or_else(|error| panic!("not a URL: {url}: {error}"));
    let authority = uri.authority().unwrap().as_str();
    let path = uri.path_and_query().unwrap().as_str();
    let mut request = Request::builder().method(method).uri(path);
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
    let answer = async {
        match uri.scheme_str() {
            Some("https") => exchange_over_tls(authority, request).await,
            _ => exchange(authority, request).await,
        }
    };
    let answer = timeout(TIMEOUT, answer)
        .await
        .unwrap_or_else(|_| panic!("{method} {url}: no answer within {TIMEOUT:?}"));
    let answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let (head, body) = answer.into_parts();
    let answer = HttpResponse {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    };
    documented::check(method, url, &answer);
    answer
}

/// Sends a request to the server at `authority`.
pub(crate) async fn exchange(
    authority: &str,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Failure> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    converse(stream, request).await
}

async fn exchange_over_tls(
    authority: &str,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Failure> {
    static CONFIG: LazyLock<Arc<ClientConfig>> =
        LazyLock::new(|| Arc::new(ClientConfig::with_platform_verifier().unwrap()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let stream = TcpStream::connect((host, port.parse()?)).await?;
    let stream = TlsConnector::from(Arc::clone(&CONFIG))
        .connect(host.to_owned().try_into()?, stream)
        .await?;
    converse(stream, request).await
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}
