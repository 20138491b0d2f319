//! One call of the API, as it is made.

use http::{Method, StatusCode};
use serde_json::Value;
use std::time::Duration;
use wire::Endpoint;

/// A gateway gives up after 29 seconds; waiting much longer is useless.
const CALL_TIMEOUT: Duration = Duration::from_secs(35);

/// May the call be made again when it is unknown whether the first one arrived?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Doing it twice is the same as doing it once, or the server sees to that.
    Always,
    /// Only when it surely did not arrive.
    IfNotSent,
}

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Segments, not yet percent-encoded.
    pub(crate) path: Vec<&'a str>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) repeat: Repeat,
    /// What is answered when an earlier try did it, and only its answer got lost.
    pub(super) done_before: Option<StatusCode>,
    /// How long one try may take.
    pub(super) timeout: Duration,
    /// The `Idempotency-Key`, the same for all tries.
    pub(super) key: Option<String>,
    /// The version that it is about, if no other is meant.
    pub(super) version: Option<u64>,
}

impl<'a> Call<'a> {
    /// A call of an endpoint whose path has no id.
    pub(crate) fn to<E: Endpoint<Path = ()>>() -> Self {
        Self::at::<E>("")
    }

    /// A call of an endpoint about what has this id. The server does it once, however often it arrives, where the endpoint takes
    /// a key by which it knows it again.
    pub(crate) fn at<E: Endpoint>(id: &'a str) -> Self {
        // Of the registry's methods each is one.
        let method: Method = E::METHOD.parse().unwrap_or_default();
        let repeat = if method == Method::POST && !E::IDEMPOTENT {
            Repeat::IfNotSent
        } else {
            Repeat::Always
        };
        let done_before = (method == Method::DELETE).then_some(StatusCode::NOT_FOUND);
        let words = E::PATH.split('/').skip(1);
        Self {
            method,
            path: words.map(|word| if word == "{id}" { id } else { word }).collect(),
            query: Vec::new(),
            body: None,
            repeat,
            done_before,
            timeout: CALL_TIMEOUT,
            key: E::IDEMPOTENT.then(|| format!("{:032x}", fastrand::u128(..))),
            version: None,
        }
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    /// It is refused if what it is about has another version.
    pub(crate) fn if_match(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Always;
        self
    }

    /// The call ends the session that it is made with.
    pub(crate) fn ends_session(mut self) -> Self {
        self.done_before = Some(StatusCode::UNAUTHORIZED);
        self
    }

    pub(super) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(super) fn name(&self) -> String {
        format!("{} /{}", self.method, self.path.join("/"))
    }
}
