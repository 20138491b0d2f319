//! Ends one session of the account, on whatever machine it is.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::session::Revoke;

pub static FUNCTION: Function = Function::served_by::<SessionRevoke>();

pub struct SessionRevoke {
    table: Table,
}

impl Handler for SessionRevoke {
    type Endpoint = Revoke;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Revoke>) -> Result<NoContent, Problem<Revoke>> {
        let account = request.caller.account.id;
        if self.table.sessions().revoke(&account, &request.path).await? {
            Ok(NoContent)
        } else {
            Err(Problem::not_found("session"))
        }
    }
}
