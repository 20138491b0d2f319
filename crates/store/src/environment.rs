//! What a function is started with.

use crate::error::{StoreError, remote};
use crate::table::FormatCheck;
use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use host::{Clock, Rng};
use jiff::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// What a program hands to all that it starts: AWS, the time, and random numbers.
#[derive(Clone)]
pub struct Environment {
    config: SdkConfig,
    /// Of the table that `TABLE_NAME` names, which all parts of a function share.
    format: FormatCheck,
    /// The time.
    pub clock: Clock,
    /// Random numbers.
    pub rng: Rng,
}

impl Environment {
    /// Credentials, region and endpoints as the SDK finds them. Every call has time-outs: connections die
    /// while a function is frozen, and a call that hangs would eat the whole invocation.
    pub async fn of_process() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(5))
            .operation_timeout(Duration::from_secs(12))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .load()
            .await;
        Self::new(config, Clock::system(), Rng::system())
    }

    /// Whatever `config` says, time-outs included.
    #[must_use]
    pub fn new(config: SdkConfig, clock: Clock, rng: Rng) -> Self {
        Self {
            config,
            format: FormatCheck::default(),
            clock,
            rng,
        }
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
