//! The caller's account.

use edge::{Call, Endpoint, Problem, Reply, Tokens, views};
use store::{Aws, StoreError, Table};

pub(crate) struct AccountGet {
    table: Table,
    tokens: Tokens,
}

impl AccountGet {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
        })
    }
}

impl Endpoint for AccountGet {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.tokens)?;
        let row = self.table.account(&account).await?;
        let row = row.ok_or_else(|| Problem::unauthorized("the account does not exist any more"))?;
        Reply::ok(&views::Account::from(&row))
    }
}
