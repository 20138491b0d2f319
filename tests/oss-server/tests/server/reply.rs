//! Answers, and how they are got.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// It must be this refusal, with everything that belongs to one.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, &*self.element("Code")),
            (status, code),
            "{}",
            self.text()
        );
        assert_eq!(self.element("RequestId"), self.header("x-oss-request-id"));
        assert_eq!(self.element("EC"), self.header("x-oss-ec"));
        assert!(!self.element("Message").is_empty());
        assert!(!self.element("HostId").is_empty());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    /// The text of the first element of this name.
    #[track_caller]
    pub(crate) fn element(&self, name: &str) -> String {
        let found = self.elements(name);
        found
            .first()
            .cloned()
            .unwrap_or_else(|| panic!("no {name} in {}", self.text()))
    }

    /// The text of all elements of this name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        self.text()
            .split(&start)
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(&end)?.0.to_owned()))
            .collect()
    }
}

/// Sends a request over a connection of its own.
pub(crate) async fn exchange(
    endpoint: &str,
    request: Request<Full<Bytes>>,
) -> Result<Reply, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(authority(endpoint)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer: Response<_> = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    })
}

pub(crate) fn authority(endpoint: &str) -> &str {
    endpoint.strip_prefix("http://").unwrap()
}
