//! Exchanges a refresh token for an access token and another refresh token.

use crate::Function;
use api::{Auth, Handler, Problem, Request};
use domain::token::RefreshToken;
use store::{Environment, StoreError};
use wire::body::Json;
use wire::session::{Refresh, Session};

pub static FUNCTION: Function = Function::served_by::<SessionRefresh>();

pub struct SessionRefresh {
    auth: Auth,
}

impl Handler for SessionRefresh {
    type Endpoint = Refresh;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            auth: Auth::new(environment).await?,
        })
    }

    async fn answer(&self, request: Request<Refresh>) -> Result<Json<Session>, Problem<Refresh>> {
        let token: RefreshToken = request
            .body
            .refresh_token
            .parse()
            .map_err(|_| Problem::unauthorized("this is no refresh token; sign in again"))?;
        Ok(Json(self.auth.refresh(&token).await?))
    }
}
