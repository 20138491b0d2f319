//! Ends a personal access token.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::token::Delete;

pub static FUNCTION: Function = Function::served_by::<TokenDelete>();

pub struct TokenDelete {
    table: Table,
}

impl Handler for TokenDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Delete>) -> Result<NoContent, Problem<Delete>> {
        let account = request.caller.id;
        if self.table.tokens().delete(&account, &request.path).await? {
            Ok(NoContent)
        } else {
            Err(Problem::not_found("token"))
        }
    }
}
