//! What an object store's answers mean, and which answers are none of its.
//!
//! A portal that wants a sign-in, a proxy or a filter may answer in the store's place, with any status. What it says is
//! neither a success nor a refusal.

use crate::network::{Body, Network, NetworkError};
use bytes::Bytes;
use domain::content::PartDigest;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, SERVER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::time::Duration;

/// What the store computed of the bytes it got.
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-sha256");
/// After so many answers in a row that are not the store's the part is given up.
pub(crate) const FOREIGN: u32 = 3;
/// Longest name of a server worth repeating.
const LONGEST_NAME: usize = 60;

/// Error documents are small; anything longer is not one.
const LONGEST_DOCUMENT: usize = 64 * 1024;

/// Why one request for one part failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The URL is not accepted, most likely because it expired: a new one may be.
    Denied(String),
    /// The bytes that arrived are not those the URL was signed for.
    BadDigest,
    /// No such upload or object.
    Missing,
    /// Not the store answered, but what says this of itself.
    Foreign(String),
    /// Worth another try.
    Transient(String),
    /// Not worth another try.
    Refused(String),
}

impl Failure {
    pub(crate) fn network(error: NetworkError) -> Self {
        Self::Transient(error.reason)
    }

    pub(crate) fn stalled() -> Self {
        Self::Transient("the connection went silent".to_owned())
    }

    /// Reads an error answer.
    pub(crate) async fn of(mut response: Response<Body>, timeout: Duration) -> Self {
        let (status, answer) = (response.status(), described(&response));
        let mut document = Vec::new();
        let whole = loop {
            match tokio::time::timeout(timeout, chunk(response.body_mut())).await {
                Ok(Ok(Some(chunk))) if document.len() < LONGEST_DOCUMENT => {
                    document.extend_from_slice(&chunk);
                }
                Ok(Ok(_)) => break true,
                Ok(Err(_)) | Err(_) => break false,
            }
        };
        match code(&String::from_utf8_lossy(&document)) {
            // A store that refuses early closes the connection, and what it said may get lost.
            None if !whole && status.is_client_error() => {
                Self::Transient(format!("{status}, and the reason got lost"))
            }
            code => Self::judge(status, code, answer),
        }
    }

    /// `answer` describes the whole answer.
    fn judge(status: StatusCode, code: Option<&str>, answer: String) -> Self {
        let reason = match code {
            Some(code) => format!("{status} ({code})"),
            None => status.to_string(),
        };
        match (status, code) {
            (StatusCode::BAD_REQUEST, Some("BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest")) => {
                Self::BadDigest
            }
            // Temporary credentials that have run out take the URLs they signed with them.
            (StatusCode::FORBIDDEN, Some(_)) | (StatusCode::BAD_REQUEST, Some("ExpiredToken")) => {
                Self::Denied(reason)
            }
            (StatusCode::NOT_FOUND, Some(_)) => Self::Missing,
            (StatusCode::BAD_REQUEST, Some("RequestTimeout" | "IncompleteBody"))
            | (StatusCode::CONFLICT, Some(_))
            | (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS, _) => Self::Transient(reason),
            // The store always says why, but balancers before it that are overloaded need not.
            (_, None)
                if !status.is_server_error() || status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED =>
            {
                Self::Foreign(answer)
            }
            _ if status.is_server_error() => Self::Transient(reason),
            _ => Self::Refused(reason),
        }
    }
}

/// The host that an answer came from, among its extensions.
#[derive(Clone)]
struct Host(String);

/// Sends a request, and notes where it went.
pub(crate) async fn send(
    network: &dyn Network,
    request: Request<Body>,
) -> Result<Response<Body>, NetworkError> {
    let host = request.uri().host().unwrap_or("no host").to_owned();
    let mut answer = network.send(request).await?;
    answer.extensions_mut().insert(Host(host));
    Ok(answer)
}

/// Whether a success is that of a store that took a part with this digest. Every store names what it has stored, and S3
/// repeats the checksum.
pub(crate) fn took(response: &Response<Body>, digest: Option<PartDigest>) -> Result<(), Failure> {
    let header = |name: HeaderName| response.headers().get(name);
    match (header(CHECKSUM), digest) {
        (Some(computed), Some(digest)) if computed.as_bytes() == digest.to_string().as_bytes() => Ok(()),
        (Some(_), _) => Err(Failure::BadDigest),
        (None, _) if is_page(response) => Err(Failure::Foreign(described(response))),
        (None, _) => names_it(response),
    }
}

/// Whether a success is that of a store that returns a whole object of `size` bytes. The object may be a page
/// itself.
pub(crate) fn gave(response: &Response<Body>, size: u64) -> Result<(), Failure> {
    let is_other = content_length(response).is_some_and(|length| length != size);
    if is_other && is_page(response) {
        return Err(Failure::Foreign(described(response)));
    }
    names_it(response)
}

/// How long an answer says it is.
pub(crate) fn content_length(response: &Response<Body>) -> Option<u64> {
    let length = response.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Some more of a body; `None` at its end.
pub(crate) async fn chunk(body: &mut Body) -> Result<Option<Bytes>, NetworkError> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Every store says the `ETag` of what it has.
fn names_it(response: &Response<Body>) -> Result<(), Failure> {
    if response.headers().contains_key(ETAG) {
        Ok(())
    } else {
        Err(Failure::Foreign(described(response)))
    }
}

fn is_page(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// What an answer says of who gave it. Of the URL only the host is shown: the rest is a secret.
fn described(response: &Response<Body>) -> String {
    let header = |name: HeaderName| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.chars().take(LONGEST_NAME).collect::<String>())
    };
    let kind = header(CONTENT_TYPE).unwrap_or_else(|| "no media type".to_owned());
    let server = header(SERVER).map_or_else(String::new, |server| format!(", by \"{server}\""));
    let host = response.extensions().get::<Host>();
    let host = host.map_or("no host", |Host(host)| host);
    format!("{}, {kind}{server}, at {host}", response.status())
}

/// The `<Code>` of an S3 error document. Nothing else of it is kept: it may repeat the signed request.
fn code(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("<Error")?.1.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let judge =
            |status, code| Failure::judge(StatusCode::from_u16(status).unwrap(), code, "answer".into());
        assert_eq!(judge(400, Some("BadDigest")), Failure::BadDigest);
        assert!(matches!(judge(403, Some("AccessDenied")), Failure::Denied(_)));
        assert!(matches!(judge(400, Some("ExpiredToken")), Failure::Denied(_)));
        assert_eq!(judge(404, Some("NoSuchUpload")), Failure::Missing);
        assert_eq!(
            judge(503, Some("SlowDown")),
            Failure::Transient("503 Service Unavailable (SlowDown)".into())
        );
        for passing in [408, 429, 500, 503] {
            assert!(matches!(judge(passing, None), Failure::Transient(_)), "{passing}");
        }
        for status in [302, 307, 400, 403, 404, 407, 409, 451, 511] {
            assert_eq!(judge(status, None), Failure::Foreign("answer".into()), "{status}");
        }
        assert!(matches!(judge(400, Some("EntityTooLarge")), Failure::Refused(_)));
        assert!(matches!(
            judge(301, Some("PermanentRedirect")),
            Failure::Refused(_)
        ));
    }

    #[test]
    fn only_the_code_of_a_document_is_kept() {
        let document =
            "<?xml?><Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>";
        assert_eq!(code(document), Some("SignatureDoesNotMatch"));
        for other in [
            "",
            "<Error><Code>",
            "<Error><Code></Code>",
            "<Error><Code>a b</Code>",
            "<html><Code>a</Code>",
        ] {
            assert_eq!(code(other), None, "{other:?}");
        }
    }
}
