//! What can go wrong in the store. Whoever decides, decides by the kind; codes and texts of services are read here and nowhere
//! else.

use crate::key::Key;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A condition of a write did not hold. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The username belongs to another account.
    #[error("the username is taken")]
    UsernameTaken,
    /// The invitation is not there (any more), was used, or has ended; or what it is for is gone.
    #[error("the invitation cannot be used")]
    InvitationGone,
    /// The account is gone, or its password or its sessions were changed since it was read.
    #[error("the account was changed meanwhile")]
    AccountChanged,
    /// The session is over, or its refresh token was exchanged since it was read.
    #[error("the session was changed meanwhile")]
    SessionChanged,
    /// The account has no room for the bytes.
    #[error("the account's quota does not allow it")]
    QuotaExceeded,
    /// The parent has an entry of that name.
    #[error("the name is taken")]
    NameTaken,
    /// The parent is not a folder of this account (any more).
    #[error("the parent folder does not exist")]
    ParentGone,
    /// The folder is as deep as folders may be.
    #[error("the parent is too deep for folders within it")]
    TooDeep,
    /// The node is not there (any more), or was changed meanwhile.
    #[error("the file or folder was changed or deleted meanwhile")]
    NodeChanged,
    /// The folder has entries.
    #[error("the folder is not empty")]
    FolderNotEmpty,
    /// Somebody else changed the upload since it was read.
    #[error("the upload was changed meanwhile")]
    UploadChanged,
    /// A blob with this content came into being meanwhile.
    #[error("the content exists already")]
    ContentExists,
    /// The blob is being reclaimed.
    #[error("the blob is being reclaimed")]
    BlobGone,
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    KeyUsed,
    /// The blob is not what was read (any more).
    #[error("the blob was changed meanwhile")]
    BlobChanged,
    /// The parts of a multipart upload are not those that were listed.
    #[error("the parts were changed meanwhile")]
    PartsChanged,
    /// The replica is in another state than was read.
    #[error("the replica was changed meanwhile")]
    ReplicaChanged,
}

/// What an error is, for whoever decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A condition of a write did not hold. Nothing was written.
    Conflict(Conflict),
    /// A service has too much to do, or others were at the same items: the same call may succeed a little later.
    Throttled,
    /// A service did not answer, or is broken for the moment. Whether the call took effect is not known.
    Unavailable,
    /// What the call is about is not there: an object, bytes of it, a multipart upload.
    NotFound,
    /// The request was refused for what it says.
    Invalid,
    /// The function may not do it.
    Denied,
    /// What is stored, or what a service answered, cannot be understood.
    Corrupt,
    /// The deployment lacks something.
    Misconfigured,
    /// A fault of our own.
    Internal,
}

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
            source: Some(Arc::new(Cause { code, text })),
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
        matches!(self.kind, ErrorKind::Corrupt | ErrorKind::Misconfigured) && !said
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
            (kind, ..) => {
                let code = cause.and_then(|cause| cause.code.as_deref());
                write!(f, "{} failed ({})", self.operation, code.unwrap_or(word(kind)))
            }
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

/// What stands for an error without a code.
fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Conflict(_) => "conflict",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Unavailable => "no answer",
        ErrorKind::NotFound => "not found",
        ErrorKind::Invalid => "invalid",
        ErrorKind::Denied => "denied",
        ErrorKind::Corrupt => "corrupt data",
        ErrorKind::Misconfigured => "misconfigured",
        ErrorKind::Internal => "internal",
    }
}

/// The codes of DynamoDB, also as reasons of a cancelled transaction, of SQS, S3 and Secrets Manager.
const CODES: [(ErrorKind, &[&str]); 7] = [
    (
        ErrorKind::Throttled,
        &[
            "BandwidthLimitExceeded",
            "KMS.ThrottlingException",
            "KmsThrottled",
            "LimitExceededException",
            "OperationAborted",
            "OverLimit",
            "ProvisionedThroughputExceeded",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "ReplicatedWriteConflictException",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "ThrottlingError",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionConflict",
            "TransactionConflictException",
            "TransactionInProgressException",
        ],
    ),
    (
        ErrorKind::Unavailable,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
    ),
    (
        ErrorKind::NotFound,
        &["InvalidRange", "NoSuchKey", "NoSuchUpload", "NotFound"],
    ),
    (
        ErrorKind::Conflict(Conflict::PartsChanged),
        &["BadDigest", "EntityTooSmall", "InvalidPart", "InvalidPartOrder"],
    ),
    (
        ErrorKind::Denied,
        &["AccessDenied", "AccessDeniedException", "KmsAccessDenied"],
    ),
    (
        ErrorKind::Invalid,
        &["InvalidArgument", "ValidationError", "ValidationException"],
    ),
    (
        ErrorKind::Misconfigured,
        &[
            "AWS.SimpleQueueService.NonExistentQueue",
            "NoSuchBucket",
            "QueueDoesNotExist",
            "ResourceNotFoundException",
        ],
    ),
];

/// What a service's refusal is: by its code, or by the status of its answer where nobody has thought of the code.
pub(crate) fn classify(code: Option<&str>, status: Option<u16>) -> ErrorKind {
    let known = CODES
        .iter()
        .find(|(_, codes)| code.is_some_and(|code| codes.contains(&code)));
    if let Some((kind, _)) = known {
        return *kind;
    }
    match status {
        Some(401 | 403) => ErrorKind::Denied,
        Some(429) => ErrorKind::Throttled,
        Some(500..) => ErrorKind::Unavailable,
        // A service refuses with a code; without one, something else answered in its place.
        _ if code.is_some() => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
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
    let kind = classify(code, status);
    StoreError::new(kind, operation, code.map(str::to_owned), describe(error))
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
    fn a_code_that_nobody_knows_is_told_by_the_status() {
        for (code, status, expected) in [
            (None, None, ErrorKind::Unavailable),
            (None, Some(403), ErrorKind::Denied),
            (None, Some(404), ErrorKind::Unavailable),
            (Some("NewAndBusy"), Some(429), ErrorKind::Throttled),
            (Some("NewAndBroken"), Some(503), ErrorKind::Unavailable),
            (Some("NewAndWrong"), Some(400), ErrorKind::Invalid),
            (Some("NoSuchBucket"), Some(404), ErrorKind::Misconfigured),
            (Some("SlowDown"), Some(503), ErrorKind::Throttled),
        ] {
            assert_eq!(classify(code, status), expected, "{code:?} {status:?}");
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
