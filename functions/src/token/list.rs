//! The personal access tokens of the account, without their texts.

use api::views::{Items, PersonalToken};
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::id::PersonalTokenId;
use domain::token::Scope;
use store::rows::now;
use store::{Aws, StoreError, Table};

pub struct TokenList {
    table: Table,
    auth: Auth,
}

impl Endpoint for TokenList {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Admin).await?;
        let after: Option<PersonalTokenId> = call.query("cursor")?;
        let page = self
            .table
            .tokens()
            .page(&account, after.as_ref(), call.limit()?)
            .await?;
        // The table deletes what has expired when it has the time.
        let good = page.rows.iter().filter(|row| now() < row.expires_at);
        Reply::ok(&Items {
            items: good.map(PersonalToken::from).collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        })
    }
}
