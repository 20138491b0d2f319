//! The caller's account.

use crate::Function;
use api::{Handler, Problem, Request, views};
use store::{Environment, StoreError};
use wire::account::{Account, Get};
use wire::body::Json;

pub static FUNCTION: Function = Function::served_by::<AccountGet>();

pub struct AccountGet;

impl Handler for AccountGet {
    type Endpoint = Get;

    async fn new(_: &Environment) -> Result<Self, StoreError> {
        Ok(Self)
    }

    async fn answer(&self, request: Request<Get>) -> Result<Json<Account>, Problem<Get>> {
        Ok(Json(views::account(&request.caller)))
    }
}
