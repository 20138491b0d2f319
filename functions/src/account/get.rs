//! The caller's account.

use api::{Auth, Call, Endpoint, Problem, Reply, views};
use domain::token::Scope;
use store::{Aws, StoreError};

pub struct AccountGet {
    auth: Auth,
}

impl Endpoint for AccountGet {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        caller.may(Scope::Read)?;
        Reply::ok(&views::Account::from(&caller.account))
    }
}
