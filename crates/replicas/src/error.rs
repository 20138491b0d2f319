//! Why an attempt at a replica failed.

use store::StoreError;

/// Why an attempt at a replica failed. Its text is shown to users as the replica's `last_error`.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// Longshore's own side.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The targets secret is not what it should be, or does not know the target.
    #[error("{0}")]
    Misconfigured(String),
    /// The target did not do what it was asked for.
    #[error("{target}: {operation} failed: {cause}")]
    Target {
        /// Its name.
        target: String,
        /// What it was asked for.
        operation: &'static str,
        /// The error code it gave, if any.
        code: Option<String>,
        /// All that is known.
        cause: String,
    },
    /// The primary store gave other bytes than the blob's ledger says.
    #[error("part {part} of the primary object is not what the ledger says")]
    SourceCorrupt {
        /// The number of the part, from 1.
        part: u32,
    },
    /// The target has other bytes than were sent.
    #[error("{target} has other bytes than were sent: {detail}")]
    TargetCorrupt {
        /// Its name.
        target: String,
        /// What differs.
        detail: String,
    },
}

impl ReplicaError {
    /// What the log should say: the error with its cause.
    #[must_use]
    pub fn for_log(&self) -> String {
        match self {
            Self::Store(error) => error.for_log(),
            _ => self.to_string(),
        }
    }

    /// The multipart upload at the target is gone: it has to be begun anew.
    #[must_use]
    pub fn multipart_is_gone(&self) -> bool {
        matches!(self, Self::Target { code: Some(code), .. } if code == "NoSuchUpload")
    }
}
