//! Settings that a function's variables say, read once when it starts.

use crate::environment::Environment;
use crate::error::StoreError;
use domain::id::AccountId;
use domain::upload::DEFAULT_EXPIRY;
use domain::versions::{MOST_VERSIONS, VersionPolicy};
use jiff::SignedDuration;
use std::time::Duration;

/// How long an upload stays open without being touched: `UPLOAD_EXPIRY_SECONDS`, or a week.
///
/// # Errors
/// `ErrorKind::Misconfigured` when the variable is not a number.
pub fn upload_expiry(environment: &Environment) -> Result<SignedDuration, StoreError> {
    const NAME: &str = "UPLOAD_EXPIRY_SECONDS";
    if environment.optional(NAME).is_none() {
        return Ok(DEFAULT_EXPIRY);
    }
    let seconds = environment.number(NAME)?;
    Ok(SignedDuration::from_secs(
        i64::try_from(seconds).unwrap_or(i64::MAX),
    ))
}

/// How many versions of a file are kept, and for how long: `VERSIONS_KEPT` and `VERSION_DAYS`.
///
/// # Errors
/// `ErrorKind::Misconfigured` when one of them is missing or no number.
pub fn version_policy(environment: &Environment) -> Result<VersionPolicy, StoreError> {
    Ok(VersionPolicy {
        most: environment.number("VERSIONS_KEPT")?.min(MOST_VERSIONS),
        days: environment.number("VERSION_DAYS")?,
    })
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
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        match environment.variable("SIGN_UP")? {
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
pub fn target_registry_lifetime(environment: &Environment) -> Result<Duration, StoreError> {
    const NAME: &str = "TARGET_REGISTRY_SECONDS";
    if environment.optional(NAME).is_none() {
        return Ok(Duration::from_secs(30));
    }
    environment.number(NAME).map(Duration::from_secs)
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
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        match environment.variable("DEDUP_SCOPE")? {
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
