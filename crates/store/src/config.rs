//! Names and settings from environment variables, read once when a function starts.

use crate::error::StoreError;
use domain::id::AccountId;
use domain::upload::DEFAULT_EXPIRY;
use jiff::SignedDuration;
use std::time::Duration;

/// A variable that the template sets.
///
/// # Errors
/// `ErrorKind::Misconfigured` naming the variable when it is not there.
pub fn variable(name: &str) -> Result<String, StoreError> {
    std::env::var(name).map_err(|_| StoreError::misconfigured(format!("the environment lacks {name}")))
}

/// A whole number that the template sets.
///
/// # Errors
/// `ErrorKind::Misconfigured` naming the variable when it is not there or not a number.
pub fn number(name: &str) -> Result<u64, StoreError> {
    let text = variable(name)?;
    text.parse()
        .map_err(|_| StoreError::misconfigured(format!("{name} is not a whole number: {text}")))
}

/// How long an upload stays open without being touched: `UPLOAD_EXPIRY_SECONDS`, or a week.
///
/// # Errors
/// `ErrorKind::Misconfigured` when the variable is not a number.
pub fn upload_expiry() -> Result<SignedDuration, StoreError> {
    if std::env::var_os("UPLOAD_EXPIRY_SECONDS").is_none() {
        return Ok(DEFAULT_EXPIRY);
    }
    let seconds = number("UPLOAD_EXPIRY_SECONDS")?;
    Ok(SignedDuration::from_secs(
        i64::try_from(seconds).unwrap_or(i64::MAX),
    ))
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Anybody with an invitation.
    Invited,
    /// Everybody.
    Open,
}

impl SignUp {
    /// What `SIGN_UP` says: `invited` or `open`.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when it is missing or something else.
    pub fn from_env() -> Result<Self, StoreError> {
        match variable("SIGN_UP")?.as_str() {
            "invited" => Ok(Self::Invited),
            "open" => Ok(Self::Open),
            other => Err(StoreError::misconfigured(format!(
                "SIGN_UP is `invited` or `open`, not {other:?}"
            ))),
        }
    }
}

/// How long functions that make files believe what they have read of the targets: `TARGET_REGISTRY_SECONDS`,
/// or half a minute.
///
/// # Errors
/// `ErrorKind::Misconfigured` when the variable is not a number.
pub fn target_registry_lifetime() -> Result<Duration, StoreError> {
    if std::env::var_os("TARGET_REGISTRY_SECONDS").is_none() {
        return Ok(Duration::from_secs(30));
    }
    number("TARGET_REGISTRY_SECONDS").map(Duration::from_secs)
}

/// With whose files a new file may share its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupScope {
    /// With everybody's: equal contents are kept once. Who announces a content that somebody else has is asked for a
    /// proof, and so learns that it exists.
    Global,
    /// With the account's own only. Nothing about other accounts can be learned.
    Account,
}

impl DedupScope {
    /// What `DEDUP_SCOPE` says: `global` or `account`.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when it is missing or something else.
    pub fn from_env() -> Result<Self, StoreError> {
        match variable("DEDUP_SCOPE")?.as_str() {
            "global" => Ok(Self::Global),
            "account" => Ok(Self::Account),
            other => Err(StoreError::misconfigured(format!(
                "DEDUP_SCOPE is `global` or `account`, not {other:?}"
            ))),
        }
    }

    /// For whose files a blob of this account is; none is everybody's.
    #[must_use]
    pub fn of(self, account: &AccountId) -> Option<&AccountId> {
        match self {
            Self::Global => None,
            Self::Account => Some(account),
        }
    }
}
