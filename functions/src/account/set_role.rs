//! Makes an account an operator, or not.

use crate::{ForLog, Function, Invocation, Trigger};
use api::views;
use domain::account::{Role, Username};
use serde::Deserialize;
use store::{Environment, StoreError, Table};
use wire::account::Summary;

pub static FUNCTION: Function = Function::triggered::<AccountSetRole>();

pub struct AccountSetRole {
    table: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    username: Username,
    role: Role,
}

/// Why the role is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    #[error("there is no account {0}")]
    NoAccount(Username),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ForLog for RoleError {
    fn for_log(&self) -> String {
        match self {
            Self::Store(error) => error.for_log(),
            Self::NoAccount(_) => self.to_string(),
        }
    }
}

impl Trigger for AccountSetRole {
    type Input = Request;
    type Output = Summary;
    type Error = RoleError;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn run(&self, request: Request, _: Invocation) -> Result<Summary, RoleError> {
        let Request { username, role } = request;
        let account = self.table.accounts().set_role(&username, role).await?;
        let account = account.ok_or(RoleError::NoAccount(username))?;
        tracing::info!(account = %account.id, ?role, "role set");
        Ok(views::summary(&account))
    }
}
