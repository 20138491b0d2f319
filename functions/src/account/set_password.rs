//! Gives the account another password, and ends its other sessions.

use crate::Function;
use api::{Handler, Problem, Request, SignedIn, password, throttle};
use store::{Environment, StoreError, Table};
use wire::account::SetPassword;
use wire::answer::NoContent;

pub static FUNCTION: Function = Function::served_by::<AccountSetPassword>();

pub struct AccountSetPassword {
    table: Table,
}

impl Handler for AccountSetPassword {
    type Endpoint = SetPassword;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<SetPassword>) -> Result<NoContent, Problem<SetPassword>> {
        let SignedIn { account, session } = &request.caller;
        let body = &request.body;
        // The new one is the password already when the same request came before, and its answer got lost.
        let either = [&body.current_password, &body.new_password];
        throttle::confirm_password(&self.table, account, session, &either).await?;
        let hash = password::hash(&body.new_password, &self.table.rng)?;
        self.table
            .sessions()
            .change_password(account, session, &hash)
            .await?;
        Ok(NoContent)
    }
}
