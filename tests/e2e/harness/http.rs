//! HTTP/1.1, one connection per request, everything sent exactly as given.

pub(crate) mod response;

pub(crate) use response::HttpResponse;

use super::documented;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::ConfigVerifierExt;
use std::error::Error;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

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
