//! What a function is started with.

use crate::error::{StoreError, remote};
use crate::table::FormatCheck;
use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use host::{Clock, Rng};
use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a program hands to all that it starts: AWS, the time, and random numbers.
#[derive(Clone)]
pub struct Environment {
    config: SdkConfig,
    variables: Arc<BTreeMap<String, String>>,
    servers: Option<SharedHttpConnector>,
    /// Of the table that `TABLE_NAME` names, which all parts of a function share.
    format: FormatCheck,
    /// The time.
    pub clock: Clock,
    /// Random numbers.
    pub rng: Rng,
}

impl Environment {
    /// Credentials, region and endpoints as the SDK finds them, and [`timeouts`].
    pub async fn of_process() -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts())
            .load()
            .await;
        Self {
            variables: Arc::new(variables_of_process()),
            ..Self::new(config, Clock::system(), Rng::system())
        }
    }

    /// Whatever `config` says, time-outs included, without any variables.
    #[must_use]
    pub fn new(config: SdkConfig, clock: Clock, rng: Rng) -> Self {
        Self {
            config,
            variables: Arc::default(),
            servers: None,
            format: FormatCheck::default(),
            clock,
            rng,
        }
    }

    /// The same with these variables and no others.
    #[must_use]
    pub fn with_variables(self, variables: BTreeMap<String, String>) -> Self {
        Self {
            variables: Arc::new(variables),
            ..self
        }
    }

    /// The same with a connector to everything that is not AWS: replica targets are reached by it. Without one each is
    /// connected to as it is configured.
    #[must_use]
    pub fn with_servers(self, connector: SharedHttpConnector) -> Self {
        Self {
            servers: Some(connector),
            ..self
        }
    }

    /// That connector.
    #[must_use]
    pub fn servers(&self) -> Option<&SharedHttpConnector> {
        self.servers.as_ref()
    }

    /// A variable that the template sets always.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` naming the variable when it is not there.
    pub fn variable(&self, name: &str) -> Result<&str, StoreError> {
        self.optional(name)
            .ok_or_else(|| StoreError::misconfigured(format!("the environment lacks {name}")))
    }

    /// A variable that may be missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A whole number that the template sets.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` naming the variable when it is not there or not a number.
    pub fn number(&self, name: &str) -> Result<u64, StoreError> {
        let text = self.variable(name)?;
        text.parse()
            .map_err(|_| StoreError::misconfigured(format!("{name} is not a whole number: {text}")))
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

/// Those of every call to AWS: connections die while a function is frozen, and a call that hangs would eat the whole
/// invocation.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build()
}

#[expect(clippy::disallowed_methods, reason = "here is where they come from")]
fn variables_of_process() -> BTreeMap<String, String> {
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What a secret says.
pub struct SecretText {
    /// It itself.
    pub text: SecretString,
    /// When it was made what it is.
    pub since: Timestamp,
}
