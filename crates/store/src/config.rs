//! Clients and names from the environment, read once when a function starts.

use crate::error::{StoreError, remote};
use crate::table::FormatCheck;
use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use domain::id::AccountId;
use domain::upload::DEFAULT_EXPIRY;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::time::Duration;

/// The AWS clients of one function.
#[derive(Clone)]
pub struct Aws {
    config: SdkConfig,
    /// Of the table that the environment names, which all parts of a function share.
    format: FormatCheck,
}

impl Aws {
    /// Credentials, region and endpoints as the SDK finds them. Every call has time-outs: connections die
    /// while a function is frozen, and a call that hangs would eat the whole invocation.
    pub async fn from_env() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(12))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .load()
            .await;
        Self::from(config)
    }

    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.config
    }

    pub(crate) fn format(&self) -> &FormatCheck {
        &self.format
    }

    /// A secret in Secrets Manager.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, `ErrorKind::Corrupt` when it is not text.
    pub async fn secret(&self, id: &str) -> Result<SecretText, StoreError> {
        let answer = aws_sdk_secretsmanager::Client::new(&self.config)
            .get_secret_value()
            .secret_id(id)
            .send()
            .await
            .map_err(remote("GetSecretValue"))?;
        let text = answer
            .secret_string()
            .ok_or_else(|| StoreError::corrupt(format!("secret {id} is not text")))?;
        let since = answer
            .created_date()
            .map(aws_sdk_secretsmanager::primitives::DateTime::secs);
        Ok(SecretText {
            text: text.into(),
            since: since
                .and_then(|second| Timestamp::from_second(second).ok())
                .unwrap_or(Timestamp::MIN),
        })
    }
}

/// What a secret says.
pub struct SecretText {
    /// It itself.
    pub text: SecretString,
    /// When it was made what it is.
    pub since: Timestamp,
}

impl From<SdkConfig> for Aws {
    /// Whatever `config` says, time-outs included.
    fn from(config: SdkConfig) -> Self {
        Self {
            config,
            format: FormatCheck::default(),
        }
    }
}

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
