//! Ends a personal access token.

use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use store::{Aws, StoreError, Table};

pub struct TokenDelete {
    table: Table,
    auth: Auth,
}

impl Endpoint for TokenDelete {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Admin).await?;
        if self.table.tokens().delete(&account, &call.id("token")?).await? {
            Ok(Reply::no_content())
        } else {
            Err(Problem::not_found("token"))
        }
    }
}
