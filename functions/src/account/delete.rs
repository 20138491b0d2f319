//! Deletes the account: nobody can sign in any more from now on, and the sweep removes what it has.

use api::requests::ConfirmPassword;
use api::{Auth, Call, Endpoint, Problem, Reply, throttle};
use store::rows::now;
use store::{Aws, StoreError, Table};

pub struct AccountDelete {
    table: Table,
    auth: Auth,
}

impl Endpoint for AccountDelete {
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
        let body: ConfirmPassword = call.json()?;
        throttle::confirm_password(&self.table, &caller.account, session, &[&body.current_password]).await?;
        self.table
            .accounts()
            .begin_deletion(&caller.account, now())
            .await?;
        Ok(Reply::no_content())
    }
}
