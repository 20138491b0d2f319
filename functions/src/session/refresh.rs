//! Exchanges a refresh token for an access token and another refresh token.

use api::requests::Refresh;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::RefreshToken;
use store::{Aws, StoreError};

pub struct SessionRefresh {
    auth: Auth,
}

impl Endpoint for SessionRefresh {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: Refresh = call.json()?;
        let token: RefreshToken = body
            .refresh_token
            .parse()
            .map_err(|_| Problem::unauthorized("this is no refresh token; sign in again"))?;
        Reply::ok(&self.auth.refresh(&token).await?)
    }
}
