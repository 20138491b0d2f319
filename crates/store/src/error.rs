//! What can go wrong in the store, sorted by what the caller does about it.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

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
    /// The replica is in another state than was read.
    #[error("the replica was changed meanwhile")]
    ReplicaChanged,
}

/// An error of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A condition of a write did not hold.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// A remote call failed or was not answered in time. Whether it took effect is not known.
    #[error("{operation} failed ({})", code.as_deref().unwrap_or("no answer"))]
    Remote {
        /// The remote operation.
        operation: &'static str,
        /// The error code of the service, when it gave one.
        code: Option<String>,
        /// All that is known. For the log: it can name accounts, roles and addresses.
        cause: String,
    },
    /// What is stored cannot be understood.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// An item of the table is not what its kind should be. Nothing that is in it is quoted.
    #[error("the item {pk} {sk} cannot be read")]
    Unreadable {
        /// Its partition key.
        pk: String,
        /// Its sort key.
        sk: String,
    },
    /// The deployment lacks something.
    #[error("the function is not configured: {0}")]
    Misconfigured(String),
}

/// Codes that say that a service has too much to do, is broken for a moment, or that others were at the same items. DynamoDB's,
/// also as reasons of a cancelled transaction, SQS's and S3's.
const PASSING: [&str; 27] = [
    "BandwidthLimitExceeded",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
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
    "RequestTimeout",
    "RequestTimeoutException",
    "ReplicatedWriteConflictException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflict",
    "TransactionConflictException",
];

impl StoreError {
    /// Whether a service did not answer, or had too much to do: the same call may do well a little later, and nobody can do
    /// anything about it. All that is refused for a reason of its own is refused again.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Remote { code, .. } => code
                .as_deref()
                .is_none_or(|code| PASSING.contains(&code) || code == "TransactionInProgressException"),
            Self::Conflict(_) | Self::Unreadable { .. } | Self::Corrupt(_) | Self::Misconfigured(_) => false,
        }
    }

    /// The service's error code of a failed remote call.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Remote { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// What the log should say: the error with its cause.
    #[must_use]
    pub fn for_log(&self) -> String {
        match self {
            Self::Remote { cause, .. } => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }
}

/// Wraps what an AWS SDK call returned.
pub fn remote<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    move |error| {
        let code = error
            .as_service_error()
            .and_then(ProvideErrorMetadata::code)
            .map(str::to_owned);
        StoreError::Remote {
            operation,
            code,
            cause: describe(&error),
        }
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

    #[test]
    fn what_is_refused_for_a_reason_does_not_pass() {
        let remote = |code: Option<&str>| StoreError::Remote {
            operation: "TransactWriteItems",
            code: code.map(str::to_owned),
            // A text never decides.
            cause: "Transaction cancelled: Throttling, Unavailable, Timeout".to_owned(),
        };
        for code in PASSING {
            assert!(remote(Some(code)).passes(), "{code}");
        }
        assert!(remote(None).passes(), "no answer");
        for code in [
            "ValidationException",
            "ValidationError",
            "TransactionCanceledException",
            "ItemCollectionSizeLimitExceeded",
            "AccessDenied",
            "AccessDeniedException",
            "NoSuchKey",
            "ResourceNotFoundException",
            "QueueDoesNotExist",
        ] {
            assert!(!remote(Some(code)).passes(), "{code}");
        }
        assert!(!StoreError::Corrupt("Transaction".to_owned()).passes());
    }
}
