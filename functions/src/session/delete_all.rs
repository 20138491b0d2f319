//! Signs out everywhere: ends all sessions of the account, this one included.

use api::{Auth, Call, Endpoint, Problem, Reply};
use store::{Aws, StoreError, Table};

pub struct SessionDeleteAll {
    table: Table,
    auth: Auth,
}

impl Endpoint for SessionDeleteAll {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        // Not with a personal access token, which stays good.
        caller.session()?;
        self.table.sessions().end_all(&caller.account.id).await?;
        Ok(Reply::no_content())
    }
}
