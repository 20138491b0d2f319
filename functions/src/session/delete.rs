//! Signs out: ends the session that the access token belongs to.

use api::{Auth, Call, Endpoint, Problem, Reply};
use store::{Aws, StoreError, Table};

pub struct SessionDelete {
    table: Table,
    auth: Auth,
}

impl Endpoint for SessionDelete {
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
        self.table.sessions().end(&session.account, &session.id).await?;
        Ok(Reply::no_content())
    }
}
