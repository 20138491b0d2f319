//! Why an attempt at a replica failed.

use domain::targets::Invalid;
use store::StoreError;

/// Why an attempt at a replica failed. Its text is shown to users as the replica's `last_error`.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// Longshore's own side.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The targets secret is not what it should be.
    #[error(transparent)]
    Misconfigured(#[from] Invalid),
    /// The targets secret does not know the target.
    #[error("the targets secret has no target called {0:?}")]
    Unknown(String),
    /// The target did not do what it was asked for.
    #[error("{target}: {operation} failed ({})", cause.shown)]
    Target {
        /// Its name.
        target: String,
        /// The operation.
        operation: &'static str,
        /// What follows from it.
        failure: Failure,
        /// What it said.
        cause: Cause,
    },
    /// The primary store returned other bytes than the blob's part digests say.
    #[error("the primary object does not match its part digests")]
    SourceCorrupt,
    /// The target was not asked, because it failed just before.
    #[error("{0} failed just now, and gets no requests for a while")]
    Unreachable(String),
    /// What has to be done was not begun: there was no time left.
    #[error("there was no time left")]
    NoTime,
    /// What was begun did not end in the time that a worker has.
    #[error(
        "{target} was too slow: {bytes} bytes were not there after {seconds} seconds, which needs {} bytes a second",
        bytes.div_ceil(*seconds.max(&1))
    )]
    Late {
        /// The target.
        target: String,
        /// How many bytes there were to copy.
        bytes: u64,
        /// How long there was time for it.
        seconds: u64,
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

/// What follows from a target's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It may work later: no answer, an overloaded or broken server.
    Passing,
    /// It will not work until an operator changes something: credentials, a missing bucket, no space.
    Permanent,
    /// The multipart upload does not exist: a new one has to be begun.
    MultipartGone,
}

impl Failure {
    /// What follows from the status of an answer whose code tells no more.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            // 403 is refused credentials. (A Ceph gateway that was told `rados osd op timeout` says it as well when it cannot
            // look users up because its storage is down. That is rare, and the next probe finds out.)
            301 | 307 | 401 | 403 | 405 | 501 | 507 => Self::Permanent,
            // Overloaded, broken, or unknown.
            _ => Self::Passing,
        }
    }
}

/// What a target said, or why it said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// For users: a code, a status, or in which way there was no answer.
    shown: String,
    /// All that is known. Nothing secret, but it can name addresses and roles: for the log and for operators.
    text: String,
}

impl Cause {
    /// The target refused with a code of its own.
    #[must_use]
    pub fn code(code: &str, message: &str) -> Self {
        // Nothing but a code is shown, whatever a target calls one.
        let plain = !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
        Self {
            shown: if plain { code } else { "a code that is none" }.to_owned(),
            text: format!("{code}: {message}"),
        }
    }

    /// All that the answer has is a status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::of_ours(format!("status {status}"))
    }

    /// There was no answer, in the words of the code that waited for it.
    #[must_use]
    pub fn no_answer(text: String) -> Self {
        Self {
            shown: "no answer".to_owned(),
            text,
        }
    }

    /// A text of our own, which names no addresses.
    #[must_use]
    pub fn of_ours(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            shown: text.clone(),
            text,
        }
    }

    /// What users see, and what else is known.
    pub(crate) fn new(shown: String, text: String) -> Self {
        Self { shown, text }
    }
}

impl ReplicaError {
    /// The target failed.
    #[must_use]
    pub fn target(target: &str, operation: &'static str, failure: Failure, cause: Cause) -> Self {
        Self::Target {
            target: target.to_owned(),
            operation,
            failure,
            cause,
        }
    }

    /// The target has other bytes than were sent.
    #[must_use]
    pub fn target_corrupt(target: &str, detail: String) -> Self {
        Self::TargetCorrupt {
            target: target.to_owned(),
            detail,
        }
    }

    /// What the log should say: the error with its cause.
    #[must_use]
    pub fn for_log(&self) -> String {
        match self {
            Self::Store(error) => error.for_log(),
            Self::Target {
                target,
                operation,
                cause,
                ..
            } => format!("{target}: {operation} failed: {}", cause.text),
            _ => self.to_string(),
        }
    }

    /// What follows from it, if it is the target's fault.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Target { failure, .. } => Some(*failure),
            _ => None,
        }
    }

    /// The same failure, known to be transient.
    #[must_use]
    pub fn passing(self) -> Self {
        match self {
            Self::Target {
                target,
                operation,
                cause,
                ..
            } => Self::target(&target, operation, Failure::Passing, cause),
            other => other,
        }
    }

    /// The multipart upload at the target is gone: a new one has to be begun.
    #[must_use]
    pub fn multipart_is_gone(&self) -> bool {
        self.failure() == Some(Failure::MultipartGone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_once() {
        let refused = ReplicaError::target(
            "far",
            "CompleteMultipartUpload",
            Failure::MultipartGone,
            Cause::code("NoSuchUpload", "gone"),
        );
        let passing = refused.passing();
        assert_eq!(passing.failure(), Some(Failure::Passing));
        assert_eq!(
            passing.for_log(),
            "far: CompleteMultipartUpload failed: NoSuchUpload: gone"
        );
        assert_eq!(
            passing.to_string(),
            "far: CompleteMultipartUpload failed (NoSuchUpload)"
        );
    }

    #[test]
    fn whoever_is_late_says_which_rate_it_needs() {
        let late = ReplicaError::Late {
            target: "far".to_owned(),
            bytes: 64 * 1024 * 1024,
            seconds: 890,
        };
        assert!(late.to_string().contains("75404 bytes a second"), "{late}");
    }

    #[test]
    fn users_see_the_operation_and_the_code_only() {
        for (cause, shown, known) in [
            (
                Cause::code("AccessDenied", "User arn:aws:iam::1:user/x may not"),
                "AccessDenied",
                "AccessDenied: User arn:aws:iam::1:user/x may not",
            ),
            (
                Cause::code("10.0.0.7 is", "away"),
                "a code that is none",
                "10.0.0.7 is: away",
            ),
            (Cause::status(403), "status 403", "status 403"),
            (
                Cause::no_answer("connect to 10.0.0.7:8080".to_owned()),
                "no answer",
                "connect to 10.0.0.7:8080",
            ),
        ] {
            let error = ReplicaError::target("far", "PutObject", Failure::Passing, cause);
            assert_eq!(error.to_string(), format!("far: PutObject failed ({shown})"));
            assert_eq!(error.for_log(), format!("far: PutObject failed: {known}"));
        }
    }
}
