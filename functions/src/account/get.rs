//! The caller's account.

use crate::{Exit, serve};
use api::{Auth, Call, Endpoint, Problem, Reply, views};
use domain::token::Scope;
use store::{Aws, StoreError};

/// The program.
///
/// # Errors
/// When it is not configured, or the Lambda runtime cannot be reached.
pub fn main() -> Exit {
    serve::<AccountGet>()
}

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
