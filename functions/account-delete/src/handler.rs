//! Deletes the account: nobody can sign in any more from now on, and the sweep removes what it has.

use domain::account::Password;
use edge::{Auth, Call, Endpoint, Problem, Reply, password};
use serde::Deserialize;
use store::rows::now;
use store::{Aws, StoreError, Table};

pub(crate) struct AccountDelete {
    table: Table,
    auth: Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    current_password: Password,
}

impl AccountDelete {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for AccountDelete {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        caller.session()?;
        let body: Body = call.json()?;
        if !password::verify(&body.current_password, Some(&caller.account.password_hash)) {
            return Err(Problem::wrong_password());
        }
        self.table.close_account(&caller.account, now()).await?;
        Ok(Reply::no_content())
    }
}
