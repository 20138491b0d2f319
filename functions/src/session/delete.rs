//! Signs out: ends the session that the access token belongs to.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::session::Delete;

pub static FUNCTION: Function = Function::served_by::<SessionDelete>();

pub struct SessionDelete {
    table: Table,
}

impl Handler for SessionDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Delete>) -> Result<NoContent, Problem<Delete>> {
        let session = request.caller.session;
        self.table.sessions().end(&session.account, &session.id).await?;
        Ok(NoContent)
    }
}
