//! What can go wrong in the store. Callers decide by the kind; codes and texts of services are read here and
//! nowhere else.

mod codes;
mod kind;

pub use kind::{Conflict, ErrorKind};

use crate::key::Key;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use codes::classify;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// An error of the store. As text it can be shown to users; [`for_log`](Self::for_log) says all that is known.
#[derive(Debug, Clone)]
pub struct StoreError {
    /// What it is.
    pub kind: ErrorKind,
    /// What was being done: the remote operation, if it was one.
    pub operation: &'static str,
    /// The item that it is about, if it is about one.
    pub key: Option<Key>,
    source: Option<Arc<Cause>>,
}

/// What a service said, or what is wrong. For the log: it can name accounts, roles and addresses.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Cause {
    /// The service's error code.
    code: Option<String>,
    /// Whether there was an answer.
    answered: bool,
    text: String,
}

impl From<Conflict> for StoreError {
    fn from(conflict: Conflict) -> Self {
        Self {
            kind: ErrorKind::Conflict(conflict),
            operation: "a conditional write",
            key: None,
            source: None,
        }
    }
}

impl StoreError {
    fn new(kind: ErrorKind, operation: &'static str, code: Option<String>, text: String) -> Self {
        Self {
            kind,
            operation,
            key: None,
            source: Some(Arc::new(Cause {
                answered: code.is_some(),
                code,
                text,
            })),
        }
    }

    /// What a service said of one of many things that it was asked for in one call.
    pub(crate) fn said(operation: &'static str, code: Option<&str>, message: &str) -> Self {
        let kind = classify(code, None);
        Self::new(kind, operation, code.map(str::to_owned), message.to_owned())
    }

    /// A service did not answer, or its answer broke off.
    #[must_use]
    pub fn unavailable(operation: &'static str, cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Unavailable, operation, None, cause.to_string())
    }

    /// A service has too much to do.
    pub(crate) fn throttled(operation: &'static str, cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Throttled, operation, None, cause.to_string())
    }

    /// What is stored, or was answered, cannot be understood.
    #[must_use]
    pub fn corrupt(cause: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::Corrupt,
            "reading what is stored",
            None,
            cause.to_string(),
        )
    }

    /// An item of the table is not what its kind should be. Nothing that is in it is quoted.
    #[must_use]
    pub fn unreadable(key: Key) -> Self {
        Self {
            kind: ErrorKind::Corrupt,
            operation: "reading an item",
            key: Some(key),
            source: None,
        }
    }

    /// The deployment lacks something.
    #[must_use]
    pub fn misconfigured(cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Misconfigured, "starting", None, cause.to_string())
    }

    /// The table is in this version of the stored format, or does not say in which, and the function knows another one.
    pub(crate) fn other_format(found: Option<u32>, known: u32) -> Self {
        let text = match found {
            Some(found) => format!(
                "its version is {found}, and this release knows {known} only; deploy the release that it belongs to, \
                 or begin with an empty table"
            ),
            None => "it has no version; an empty table gets one from the sweep within a minute, any other is older than \
                     versions: begin with an empty one"
                .to_owned(),
        };
        // `infra/embedded/deploy.py` and `xtask/src/deploy.rs` look for the first words, and the latter for "it has no version".
        let text = format!(
            "the table is in another format: {text} (docs/deploying.md, \"The format of the table\")"
        );
        Self::new(ErrorKind::OtherFormat, "reading the format", None, text)
    }

    /// A fault of our own.
    #[must_use]
    pub fn internal(operation: &'static str, cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, operation, None, cause.to_string())
    }

    /// The same error, about this item.
    #[must_use]
    pub fn about(mut self, key: &Key) -> Self {
        self.key = Some(key.clone());
        self
    }

    /// The condition that did not hold, if that is what it is.
    #[must_use]
    pub fn conflict(&self) -> Option<Conflict> {
        match self.kind {
            ErrorKind::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// Whether a condition of a write did not hold.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.conflict().is_some()
    }

    /// Whether the same call may succeed a little later, and nobody need do anything about it. All that is refused for a
    /// reason of its own is refused again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
    }

    /// Whether a service did not answer, or its answer broke off. One that answers that it is broken wants time.
    #[must_use]
    pub fn has_no_answer(&self) -> bool {
        let answered = self.source.as_ref().is_some_and(|cause| cause.answered);
        self.kind == ErrorKind::Unavailable && !answered
    }

    /// What the log should say: the operation, the item and the cause.
    #[must_use]
    pub fn for_log(&self) -> String {
        let mut text = self.to_string();
        if let Some(Key { pk, sk }) = &self.key
            && self.kind != ErrorKind::Corrupt
        {
            text = format!("{text}, of the item {pk} {sk}");
        }
        match &self.source {
            Some(cause) if !self.shows_cause() => format!("{text}: {cause}"),
            _ => text,
        }
    }

    /// What is wrong with what is stored or configured names nobody.
    fn shows_cause(&self) -> bool {
        let said = self.source.as_ref().is_some_and(|cause| cause.code.is_some());
        let kinds = [
            ErrorKind::Corrupt,
            ErrorKind::Misconfigured,
            ErrorKind::OtherFormat,
        ];
        kinds.contains(&self.kind) && !said
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = self.source.as_deref();
        match (self.kind, &self.key, cause) {
            (ErrorKind::Conflict(conflict), ..) => conflict.fmt(f),
            (ErrorKind::Corrupt, Some(Key { pk, sk }), _) => write!(f, "the item {pk} {sk} cannot be read"),
            (ErrorKind::Corrupt, None, Some(cause)) if self.shows_cause() => {
                write!(f, "stored data cannot be read: {cause}")
            }
            (ErrorKind::Misconfigured, _, Some(cause)) if self.shows_cause() => {
                write!(f, "the function is not configured: {cause}")
            }
            (ErrorKind::OtherFormat, _, Some(cause)) => cause.fmt(f),
            (kind, ..) => {
                let code = cause.and_then(|cause| cause.code.as_deref());
                write!(f, "{} failed ({})", self.operation, code.unwrap_or(kind.word()))
            }
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

/// Makes an error of what an AWS SDK call returned.
pub fn remote<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    move |error| {
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        remote_as(operation, code, &error)
    }
}

/// The same, where the code is not the error's own but what is behind it.
pub(crate) fn remote_as<E>(
    operation: &'static str,
    code: Option<&str>,
    error: &SdkError<E, HttpResponse>,
) -> StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    let (code, answered) = (code.map(str::to_owned), status.is_some());
    let kind = match error {
        // Nothing was sent: it will not be better in a moment.
        SdkError::ConstructionFailure(_) => ErrorKind::Internal,
        _ => classify(code.as_deref(), status),
    };
    StoreError {
        kind,
        operation,
        key: None,
        source: Some(Arc::new(Cause {
            code,
            answered,
            text: describe(error),
        })),
    }
}

/// An error with its causes on one line. Only what they say of themselves: their debug forms would have raw
/// answers in them.
#[must_use]
pub fn describe(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::operation::head_object::HeadObjectError;
    use aws_sdk_s3::primitives::SdkBody;
    use codes::CODES;

    #[test]
    fn what_is_refused_for_a_reason_is_not_transient() {
        // A text never decides.
        let text = "Transaction cancelled: Throttling, Unavailable, Timeout";
        let transient = |code| StoreError::said("TransactWriteItems", code, text).is_transient();
        for (kind, codes) in CODES {
            let expected = matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable);
            for code in codes {
                assert_eq!(transient(Some(code)), expected, "{code}");
            }
        }
        assert!(transient(None), "no answer");
        for code in ["TransactionCanceledException", "ItemCollectionSizeLimitExceeded"] {
            assert!(!transient(Some(code)), "{code}");
        }
        assert!(!StoreError::corrupt("Transaction").is_transient());
    }

    #[test]
    fn a_request_that_cannot_be_built_is_no_service_that_does_not_answer() {
        type Failed = SdkError<HeadObjectError, HttpResponse>;
        let kind = |error: Failed| remote("HeadObject")(error).kind;
        assert_eq!(kind(Failed::construction_failure("no key")), ErrorKind::Internal);
        assert_eq!(kind(Failed::timeout_error("late")), ErrorKind::Unavailable);
    }

    #[test]
    fn a_service_that_says_that_it_is_broken_has_answered() {
        assert!(StoreError::unavailable("GetObject", "broke off").has_no_answer());
        assert!(!StoreError::said("GetObject", Some("InternalError"), "broken").has_no_answer());
        assert!(!StoreError::throttled("GetObject", "too much").has_no_answer());
        let status = 500.try_into().unwrap();
        let answer = HttpResponse::new(status, SdkBody::empty());
        let broken = SdkError::<HeadObjectError, _>::response_error("no code", answer);
        let broken = remote("HeadObject")(broken);
        assert_eq!(broken.kind, ErrorKind::Unavailable);
        assert!(!broken.has_no_answer());
    }

    #[test]
    fn a_table_in_another_format_says_what_to_do() {
        for (found, says) in [
            (Some(7), "version is 7, and this release knows 1 only; deploy"),
            (None, "it has no version; an empty table gets one"),
        ] {
            let error = StoreError::other_format(found, 1);
            assert!(!error.is_transient());
            let text = error.for_log();
            assert!(text.starts_with("the table is in another format: "), "{text}");
            assert!(
                text.contains(says) && text.contains("docs/deploying.md"),
                "{text}"
            );
        }
    }

    #[test]
    fn users_see_the_operation_and_the_code_and_the_log_has_the_rest() {
        let key = Key {
            pk: "BLOB#b".to_owned(),
            sk: "BLOB".to_owned(),
        };
        let denied = StoreError::said("GetItem", Some("AccessDenied"), "arn:aws:iam::1:role/x may not");
        let denied = denied.about(&key);
        assert_eq!(denied.to_string(), "GetItem failed (AccessDenied)");
        assert_eq!(
            denied.for_log(),
            "GetItem failed (AccessDenied), of the item BLOB#b BLOB: arn:aws:iam::1:role/x may not"
        );
        let unreadable = StoreError::unreadable(key);
        assert_eq!(unreadable.to_string(), "the item BLOB#b BLOB cannot be read");
        assert_eq!(unreadable.for_log(), unreadable.to_string());
        let lacks = StoreError::misconfigured("the environment lacks X");
        assert_eq!(
            lacks.for_log(),
            "the function is not configured: the environment lacks X"
        );
    }
}
