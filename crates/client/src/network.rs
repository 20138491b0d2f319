//! How requests leave this machine: over HTTP, or to what takes its place in a simulation.

#[cfg(feature = "internet")]
pub(crate) mod internet;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

/// The body of a request or a response.
pub type Body = UnsyncBoxBody<Bytes, NetworkError>;

/// Takes requests to where their URLs lead.
pub trait Network: Send + Sync {
    /// Sends a request, and returns the answer as soon as its headers are there. Redirects are answers.
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, NetworkError>>;
}

/// Why a request has no answer, or no whole one. It never names the URL, which may be a presigned one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NetworkError {
    /// What the network said.
    pub reason: String,
    /// Whether there was no connection, so that nothing was sent.
    pub is_connect: bool,
}

impl NetworkError {
    /// The answer did not come in time.
    pub(crate) fn timed_out() -> Self {
        Self {
            reason: "no answer in time".to_owned(),
            is_connect: false,
        }
    }
}

/// A body with nothing in it.
#[must_use]
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body with these bytes in it.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}
