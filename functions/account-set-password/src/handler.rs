//! Gives the account another password, and ends its other sessions.

use domain::account::Password;
use edge::{Auth, Call, Endpoint, Problem, Reply, password};
use serde::Deserialize;
use store::{Aws, StoreError, Table};

pub(crate) struct AccountSetPassword {
    table: Table,
    auth: Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    current_password: Password,
    new_password: Password,
}

impl AccountSetPassword {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for AccountSetPassword {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        let session = caller.session()?;
        let body: Body = call.json()?;
        if !password::verify(&body.current_password, Some(&caller.account.password_hash)) {
            return Err(Problem::wrong_password());
        }
        let hash = password::hash(&body.new_password)?;
        self.table
            .change_password(&caller.account, session, &hash)
            .await?;
        Ok(Reply::no_content())
    }
}
