//! Signs in: begins a session.

use domain::account::{Password, Username};
use edge::{Auth, Call, Endpoint, Problem, Reply, password};
use serde::Deserialize;
use store::{Aws, StoreError, Table};

pub(crate) struct SessionCreate {
    table: Table,
    auth: Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: Username,
    password: Password,
}

impl SessionCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
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
        Reply::created("account", &self.auth.begin(&account).await?)
    }
}
