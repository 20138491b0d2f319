//! Makes an account an operator, or not.

use domain::account::{Role, Username};
use edge::views;
use serde::Deserialize;
use store::{Aws, StoreError, Table};

pub(crate) struct AccountSetRole {
    table: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    username: Username,
    role: Role,
}

/// Why the role is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoleError {
    #[error("there is no account {0}")]
    NoAccount(Username),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountSetRole {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
        })
    }

    pub(crate) async fn run(&self, request: Request) -> Result<views::Account, RoleError> {
        let Request { username, role } = request;
        let account = self.table.set_role(&username, role).await?;
        let account = account.ok_or(RoleError::NoAccount(username))?;
        tracing::info!(account = %account.id, ?role, "role set");
        Ok(views::Account::from(&account))
    }
}
