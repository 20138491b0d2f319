//! Gives the account another password, and ends its other sessions.

use api::requests::ChangePassword;
use api::{Auth, Call, Endpoint, Problem, Reply, password, throttle};
use store::{Aws, StoreError, Table};

pub struct AccountSetPassword {
    table: Table,
    auth: Auth,
}

impl Endpoint for AccountSetPassword {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        let session = caller.session()?;
        let body: ChangePassword = call.json()?;
        let account = &caller.account;
        // The new one is the password already when the same request came before, and its answer got lost.
        let either = [&body.current_password, &body.new_password];
        throttle::confirm_password(&self.table, account, session, &either).await?;
        let hash = password::hash(&body.new_password)?;
        self.table
            .sessions()
            .change_password(account, session, &hash)
            .await?;
        Ok(Reply::no_content())
    }
}
