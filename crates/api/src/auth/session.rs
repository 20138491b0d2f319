//! How sessions begin and go on.

use super::Auth;
use super::keys::Keys;
use crate::Problem;
use domain::session::{ACCESS_LIFETIME, ClientName, Exchange, Refreshing};
use domain::throttle::Source;
use domain::token::{RefreshToken, Secret, Token};
use store::rows::{AccountRow, SessionRow};
use store::{Conflict, StoreError};
use wire::session::{Create, Refresh, Session};

/// How often an exchange is tried while others exchange the same token.
const LOGIN_ATTEMPTS: u32 = 3;

impl Auth {
    /// Begins a session of somebody whose password was right.
    ///
    /// # Errors
    /// 401 when the account was signed out everywhere or deleted at this moment.
    pub async fn begin(
        &self,
        account: &AccountRow,
        source: &Source,
        client: Option<ClientName>,
    ) -> Result<Session, Problem<Create>> {
        let secret = Secret::from_bytes(self.table.rng.random());
        let session = SessionRow {
            account: account.id.clone(),
            id: self.table.rng.id(),
            sign_outs: account.sign_outs,
            client,
            refreshing: Refreshing::new(secret.hash(), self.table.now()),
        };
        match self
            .table
            .sessions()
            .begin(account, &session, source, self.table.now())
            .await
        {
            Err(error) if error.is_conflict() => Err(Problem::unauthorized(
                "the account was changed at this moment; sign in again",
            )),
            begun => {
                begun?;
                Ok(self.given(&*self.keys.newest().await, &session, secret)?)
            }
        }
    }

    /// Exchanges a refresh token for an access token and another refresh token.
    ///
    /// # Errors
    /// 401 when the session is over, or ends now because the token was exchanged before.
    pub async fn refresh(&self, token: &RefreshToken) -> Result<Session, Problem<Refresh>> {
        let over = || Problem::unauthorized("the session is over; sign in again");
        for _ in 0..LOGIN_ATTEMPTS {
            let found = self
                .table
                .sessions()
                .get(&token.account, &token.id, self.table.now())
                .await?;
            let (_, mut session) = found.ok_or_else(over)?;
            let keys = self.keys.newest().await;
            let next = keys.following(&token.secret, &token.id, self.table.now());
            match session
                .refreshing
                .exchange(&token.secret.hash(), next.hash(), self.table.now())
            {
                Exchange::New(then) => match self.table.sessions().refresh(&session, &then).await {
                    Err(error) if error.is_conflict() => {}
                    written => {
                        written?;
                        session.refreshing = then;
                        return Ok(self.given(&keys, &session, next)?);
                    }
                },
                Exchange::Again => {
                    // The key may have been replaced since.
                    let same = |secret: &Secret| secret.hash() == session.refreshing.current;
                    let before = keys.all_following(&token.secret, &token.id).find(same);
                    // Nobody is signed out for that: a client that asks again in a moment is answered.
                    return Ok(self.given(&keys, &session, before.ok_or(Conflict::SessionChanged)?)?);
                }
                Exchange::Stolen => {
                    self.table.sessions().end(&token.account, &token.id).await?;
                    tracing::warn!(account = %token.account, "a refresh token came twice; its session was ended");
                    return Err(Problem::unauthorized(
                        "the refresh token was used before, so the session was ended; sign in again",
                    ));
                }
                Exchange::Over => return Err(over()),
            }
        }
        Err(Conflict::SessionChanged.into())
    }

    /// What a client gets.
    fn given(&self, keys: &Keys, session: &SessionRow, secret: Secret) -> Result<Session, StoreError> {
        let now = self.table.now();
        let access_token = keys.issue(&session.account, &session.id, now)?;
        let refresh_token: RefreshToken = Token::new(session.account.clone(), session.id.clone(), secret);
        Ok(Session {
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME.as_secs(),
            refresh_token: refresh_token.reveal(),
            refresh_expires_at: session.refreshing.ends_at(),
        })
    }
}
