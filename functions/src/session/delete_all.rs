//! Signs out everywhere: ends all sessions of the account, this one included.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::session::DeleteAll;

pub static FUNCTION: Function = Function::served_by::<SessionDeleteAll>();

pub struct SessionDeleteAll {
    table: Table,
}

impl Handler for SessionDeleteAll {
    type Endpoint = DeleteAll;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<DeleteAll>) -> Result<NoContent, Problem<DeleteAll>> {
        let account = request.caller.account.id;
        self.table.sessions().end_all(&account).await?;
        Ok(NoContent)
    }
}
