//! Requests that the SDK did not make.

use crate::Pending;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use std::time::{Duration, SystemTime};

/// How long presigned requests are good.
const LIFETIME: Duration = Duration::from_mins(15);

/// How they are sent.
pub struct Wire {
    send: Box<dyn Fn(Request<Bytes>) -> Pending<'static, Response<Bytes>>>,
    now: SystemTime,
}

/// An answer to one.
pub struct Answer {
    status: u16,
    /// The code of an error.
    code: String,
    pub(super) headers: HeaderMap,
    /// Its bytes.
    pub body: Bytes,
}

impl Answer {
    /// Panics when it is another.
    pub fn is(&self, status: u16, code: &str) {
        let is = (self.status, self.code.as_str());
        assert_eq!(is, (status, code), "{:?}", self.body);
    }
}

impl Wire {
    /// With the time there.
    #[must_use]
    pub fn new(
        now: SystemTime,
        send: impl Fn(Request<Bytes>) -> Pending<'static, Response<Bytes>> + 'static,
    ) -> Self {
        let send = Box::new(send);
        Self { send, now }
    }

    /// For a request that is good for a quarter of an hour, since `age` ago.
    #[must_use]
    pub fn signed(&self, age: Duration) -> PresigningConfig {
        from(self.now - age)
    }

    /// The same in some time.
    pub(super) fn signed_in(&self, time: Duration) -> PresigningConfig {
        from(self.now + time)
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        let (parts, body) = (self.send)(request).await.into_parts();
        let text = String::from_utf8_lossy(&body);
        let code = text
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once('<'));
        Answer {
            status: parts.status.as_u16(),
            code: code.map_or_else(String::new, |(code, _)| code.to_owned()),
            headers: parts.headers,
            body,
        }
    }
}

fn from(start: SystemTime) -> PresigningConfig {
    PresigningConfig::builder()
        .start_time(start)
        .expires_in(LIFETIME)
        .build()
        .unwrap()
}

/// A presigned request.
#[must_use]
pub fn request(signed: &PresignedRequest, body: &Bytes) -> Request<Bytes> {
    let mut request = Request::builder().method(signed.method()).uri(signed.uri());
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    request.body(body.clone()).unwrap()
}
