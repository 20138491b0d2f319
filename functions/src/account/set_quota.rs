//! Changes what an account may store.

use crate::{ForLog, Function, Invocation, Trigger};
use api::views;
use domain::account::{MAX_QUOTA, Username};
use serde::Deserialize;
use store::{Environment, StoreError, Table};
use wire::account::Summary;

pub static FUNCTION: Function = Function::triggered::<AccountSetQuota>();

pub struct AccountSetQuota {
    table: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    username: Username,
    quota_bytes: u64,
}

/// Why the quota is as it was.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    #[error("there is no account {0}")]
    NoAccount(Username),
    #[error("a quota has at most {MAX_QUOTA} bytes")]
    TooLarge,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ForLog for QuotaError {
    fn for_log(&self) -> String {
        match self {
            Self::Store(error) => error.for_log(),
            _ => self.to_string(),
        }
    }
}

impl Trigger for AccountSetQuota {
    type Input = Request;
    type Output = Summary;
    type Error = QuotaError;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn run(&self, request: Request, _: Invocation) -> Result<Summary, QuotaError> {
        let Request {
            username,
            quota_bytes,
        } = request;
        if quota_bytes > MAX_QUOTA {
            return Err(QuotaError::TooLarge);
        }
        let account = self.table.accounts().set_quota(&username, quota_bytes).await?;
        let account = account.ok_or(QuotaError::NoAccount(username))?;
        tracing::info!(account = %account.id, quota_bytes, "quota set");
        Ok(views::summary(&account))
    }
}
