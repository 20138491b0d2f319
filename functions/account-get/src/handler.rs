//! The caller's account.

use domain::token::Scope;
use edge::{Auth, Call, Endpoint, Problem, Reply, views};
use store::{Aws, StoreError};

pub(crate) struct AccountGet {
    auth: Auth,
}

impl AccountGet {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for AccountGet {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let caller = call.caller(&self.auth).await?;
        caller.may(Scope::Read)?;
        Reply::ok(&views::Account::from(&caller.account))
    }
}
