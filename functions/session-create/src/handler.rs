//! Signs in.

use domain::account::{Password, Username};
use edge::auth::LIFETIME_SECONDS;
use edge::{Call, Endpoint, Problem, Reply, Tokens, password};
use serde::{Deserialize, Serialize};
use store::rows::now;
use store::{Aws, StoreError, Table};

pub(crate) struct SessionCreate {
    table: Table,
    tokens: Tokens,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: Username,
    password: Password,
}

#[derive(Serialize)]
struct Session {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

impl SessionCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
        })
    }
}

impl Endpoint for SessionCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: Body = call.json()?;
        let account = self.table.account_by_username(&body.username).await?;
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let matches = password::verify(&body.password, hash);
        let Some(account) = account.filter(|_| matches) else {
            return Err(Problem::unauthorized("the username or the password is wrong"));
        };
        let issued_at = u64::try_from(now().as_second()).unwrap_or_default();
        Reply::created(
            "account",
            &Session {
                access_token: self.tokens.issue(&account.id, issued_at)?,
                token_type: "Bearer",
                expires_in: LIFETIME_SECONDS,
            },
        )
    }
}
