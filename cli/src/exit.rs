//! How a command ends badly: what to say, what to do next, and the exit code.

use crate::human;
use client::ApiError;
use client::error::Problem;
use client::transfer::TransferError;
use client::tree::{PathError, TreeError};
use std::io;

/// Exit codes. They are documented in `args`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    NotSignedIn = 3,
    NotFound = 4,
    Conflict = 5,
    Quota = 6,
    Unreachable = 7,
    Mismatch = 8,
    Interrupted = 130,
}

impl Exit {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Failed,
        Self::Usage,
        Self::NotSignedIn,
        Self::NotFound,
        Self::Conflict,
        Self::Quota,
        Self::Unreachable,
        Self::Mismatch,
        Self::Interrupted,
    ];
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// The API's code, where it said so.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) next_step: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: None,
            message: message.into(),
            next_step: None,
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Nothing is to be said: the reader of standard output has gone away before the end, and meant to.
    pub(crate) fn silent() -> Self {
        Self::failed("")
    }

    pub(crate) fn interrupted(next_step: Option<String>) -> Self {
        Self {
            next_step,
            ..Self::new(Exit::Interrupted, "interrupted")
        }
    }

    pub(crate) fn then(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }

    /// Puts what it is about in front.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Whether the next file would fail alike.
    pub(crate) fn concerns_all(&self) -> bool {
        matches!(
            self.exit,
            Exit::NotSignedIn | Exit::Unreachable | Exit::Interrupted
        )
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match &error {
            ApiError::Problem(problem) => match (problem.code.as_str(), problem.status) {
                ("quota_exceeded", _) => Exit::Quota,
                ("content_mismatch", _) => Exit::Mismatch,
                ("invalid_request", _) => Exit::Usage,
                (_, 401) => Exit::NotSignedIn,
                (_, 404) | ("parent_not_found", _) => Exit::NotFound,
                (_, 409) => Exit::Conflict,
                (_, 429 | 502..=504) => Exit::Unreachable,
                _ => Exit::Failed,
            },
            ApiError::Unreachable { .. } | ApiError::NotTheApi { .. } => Exit::Unreachable,
            ApiError::Address { .. } | ApiError::Token(_) => Exit::Usage,
            ApiError::Unexpected { .. } | ApiError::Setup(_) => Exit::Failed,
        };
        let (message, makes_room) = match &error {
            ApiError::Problem(problem) => (no_room(problem), makes_room(problem)),
            _ => (None, None),
        };
        Self {
            exit,
            code: error.code().map(str::to_owned),
            next_step: makes_room.or_else(|| error.next_step().map(str::to_owned)),
            message: message.unwrap_or_else(|| error.to_string()),
        }
    }
}

/// What the API says in bytes, as people read sizes.
fn no_room(problem: &Problem) -> Option<String> {
    if problem.code != "quota_exceeded" {
        return None;
    }
    let (wanted, free) = (
        human::size(problem.wanted_bytes?),
        human::size(problem.free_bytes?),
    );
    let quota = problem
        .quota_bytes
        .map(|quota| format!(" of {}", human::size(quota)));
    Some(format!(
        "not enough room: {wanted} wanted, {free}{} free",
        quota.unwrap_or_default()
    ))
}

/// What makes room, and how much.
fn makes_room(problem: &Problem) -> Option<String> {
    if problem.code != "quota_exceeded" {
        return None;
    }
    let (trash, versions) = (problem.trash_bytes?, problem.version_bytes?);
    let mut steps = Vec::new();
    if trash > 0 {
        let freed = human::size(trash);
        steps.push(format!(
            "empty the trash, which frees {freed} (longshore trash empty)"
        ));
    }
    if versions > 0 {
        let freed = human::size(versions);
        steps.push(format!(
            "remove versions of files, which frees {freed} (longshore versions rm <path> <number>)"
        ));
    }
    steps.push("remove what you no longer need (longshore rm --permanently <path>)".to_owned());
    Some(format!("make room: {}", steps.join(", or ")))
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let exit = match error {
            TransferError::Api(error) => return error.into(),
            TransferError::Disk { ref error, .. } if error.kind() == io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            TransferError::TargetExists(_) | TransferError::InUse(_) | TransferError::Replaced(_) => {
                Exit::Conflict
            }
            TransferError::Dangling { .. } => Exit::NotFound,
            TransferError::StoreUnreachable { .. } | TransferError::NotTheStore { .. } => Exit::Unreachable,
            TransferError::Mismatch { .. } | TransferError::Wrong { .. } | TransferError::Damaged(_) => {
                Exit::Mismatch
            }
            TransferError::Folder(_)
            | TransferError::Special { .. }
            | TransferError::NotDownloadable(_)
            | TransferError::Size(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self {
            next_step: error.next_step().map(str::to_owned),
            ..Self::new(exit, error.to_string())
        }
    }
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Api(error) => error.into(),
            TreeError::NotFound(_) => Self::new(Exit::NotFound, error.to_string())
                .then("see what is there: longshore ls [<folder>]"),
            TreeError::NotAFolder(_) => Self::new(Exit::Conflict, error.to_string()),
        }
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: &str, status: u16) -> Failure {
        let text = format!(r#"{{"code":"{code}","status":{status},"message":"m"}}"#);
        ApiError::Problem(Box::new(serde_json::from_str::<Problem>(&text).unwrap())).into()
    }

    #[test]
    fn problems_have_exit_codes() {
        assert_eq!(problem("unauthorized", 401).exit, Exit::NotSignedIn);
        assert_eq!(problem("not_found", 404).exit, Exit::NotFound);
        assert_eq!(problem("name_taken", 409).exit, Exit::Conflict);
        assert_eq!(problem("content_mismatch", 409).exit, Exit::Mismatch);
        assert_eq!(problem("quota_exceeded", 403).exit, Exit::Quota);
        assert_eq!(problem("internal", 500).exit, Exit::Failed);
        assert_eq!(problem("http_504", 504).exit, Exit::Unreachable);
        assert_eq!(problem("invalid_request", 400).exit, Exit::Usage);
    }

    #[test]
    fn a_full_account_is_told_in_sizes_that_people_read() {
        let text = r#"{"code":"quota_exceeded","status":403,"message":"m","quota_bytes":10737418240,
            "used_bytes":10736894976,"free_bytes":523264,"wanted_bytes":1610612736}"#;
        let told = |text: &str| {
            let problem: Problem = serde_json::from_str(text).unwrap();
            Failure::from(ApiError::Problem(Box::new(problem))).message
        };
        assert_eq!(
            told(text),
            "not enough room: 1.5 GiB wanted, 511.0 KiB of 10.0 GiB free"
        );
        let steps = |trash: u64, versions: u64| {
            let kinds = format!(r#""trash_bytes":{trash},"version_bytes":{versions},"wanted_bytes""#);
            let problem: Problem = serde_json::from_str(&text.replace(r#""wanted_bytes""#, &kinds)).unwrap();
            Failure::from(ApiError::Problem(Box::new(problem)))
                .next_step
                .unwrap()
        };
        let remove = "remove what you no longer need (longshore rm --permanently <path>)";
        assert_eq!(steps(0, 0), format!("make room: {remove}"));
        assert_eq!(
            steps(1_610_612_736, 0),
            format!("make room: empty the trash, which frees 1.5 GiB (longshore trash empty), or {remove}")
        );
        assert_eq!(
            steps(0, 1024),
            format!(
                "make room: remove versions of files, which frees 1.0 KiB (longshore versions rm <path> <number>), or \
                 {remove}"
            )
        );
        // A server that does not say how much has words of its own.
        assert_eq!(told(&text.replace("wanted_bytes", "something_else")), "m");
    }
}
