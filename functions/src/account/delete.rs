//! Deletes the account: nobody can sign in any more from now on, and the sweep removes what it has.

use crate::Function;
use api::{Handler, Problem, Request, SignedIn, throttle};
use store::{Environment, StoreError, Table};
use wire::account::Delete;
use wire::answer::NoContent;

pub static FUNCTION: Function = Function::served_by::<AccountDelete>();

pub struct AccountDelete {
    table: Table,
}

impl Handler for AccountDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Delete>) -> Result<NoContent, Problem<Delete>> {
        let SignedIn { account, session } = request.caller;
        let password = &request.body.current_password;
        throttle::confirm_password(&self.table, &account, &session, &[password]).await?;
        self.table
            .accounts()
            .begin_deletion(&account, self.table.now())
            .await?;
        Ok(NoContent)
    }
}
