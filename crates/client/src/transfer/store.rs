//! What an object store's refusal means.

use crate::error::reason_of;
use reqwest::{Response, StatusCode};
use std::time::Duration;

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
    /// Worth another try.
    Transient(String),
    /// Not worth another try.
    Refused(String),
}

impl Failure {
    pub(crate) fn network(error: reqwest::Error) -> Self {
        Self::Transient(reason_of(error))
    }

    pub(crate) fn stalled() -> Self {
        Self::Transient("the connection went silent".to_owned())
    }

    /// Reads an error answer.
    pub(crate) async fn of(mut response: Response, patience: Duration) -> Self {
        let status = response.status();
        let mut document = Vec::new();
        let whole = loop {
            match tokio::time::timeout(patience, response.chunk()).await {
                Ok(Ok(Some(chunk))) if document.len() < LONGEST_DOCUMENT => {
                    document.extend_from_slice(&chunk);
                }
                Ok(Ok(_)) => break true,
                Ok(Err(_)) | Err(_) => break false,
            }
        };
        match code(&String::from_utf8_lossy(&document)) {
            // A store that refuses early closes the connection, and what it said may get lost.
            None if !whole && status == StatusCode::BAD_REQUEST => {
                Self::Transient(format!("{status}, and the reason got lost"))
            }
            code => Self::judge(status, code),
        }
    }

    fn judge(status: StatusCode, code: Option<&str>) -> Self {
        let reason = match code {
            Some(code) => format!("{status} ({code})"),
            None => status.to_string(),
        };
        match (status, code) {
            (StatusCode::BAD_REQUEST, Some("BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest")) => {
                Self::BadDigest
            }
            // Temporary credentials that have run out take the URLs they signed with them.
            (StatusCode::FORBIDDEN, _) | (StatusCode::BAD_REQUEST, Some("ExpiredToken")) => {
                Self::Denied(reason)
            }
            (StatusCode::NOT_FOUND, _) => Self::Missing,
            (StatusCode::BAD_REQUEST, Some("RequestTimeout" | "IncompleteBody"))
            | (StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS, _) => {
                Self::Transient(reason)
            }
            _ if status.is_server_error() => Self::Transient(reason),
            _ => Self::Refused(reason),
        }
    }
}

/// The `<Code>` of an S3 error document. Nothing else of it is kept: it may repeat the signed request.
fn code(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let judge = |status, code| Failure::judge(StatusCode::from_u16(status).unwrap(), code);
        assert_eq!(judge(400, Some("BadDigest")), Failure::BadDigest);
        assert!(matches!(judge(403, Some("AccessDenied")), Failure::Denied(_)));
        assert!(matches!(judge(400, Some("ExpiredToken")), Failure::Denied(_)));
        assert_eq!(judge(404, Some("NoSuchUpload")), Failure::Missing);
        assert_eq!(
            judge(503, Some("SlowDown")),
            Failure::Transient("503 Service Unavailable (SlowDown)".into())
        );
        assert!(matches!(judge(500, None), Failure::Transient(_)));
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
        for other in ["", "<Code>", "<Code></Code>", "<Code>a b</Code>", "<html>"] {
            assert_eq!(code(other), None, "{other:?}");
        }
    }
}
