//! The caller's account.

use crate::Function;
use api::{Handler, Problem, Request, lookup};
use store::{Environment, StoreError, Table};
use wire::account::{Account, Get};
use wire::body::Json;

pub static FUNCTION: Function = Function::served_by::<AccountGet>();

pub struct AccountGet {
    table: Table,
}

impl Handler for AccountGet {
    type Endpoint = Get;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Get>) -> Result<Json<Account>, Problem<Get>> {
        Ok(Json(lookup::account(&self.table, &request.caller).await?))
    }
}
