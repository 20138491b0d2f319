//! Who is asking, and what he may do.
//!
//! A request carries an access token of a session, or a personal access token. Either is looked up with the account at each
//! request, so that what was ended is over from the next request on.

pub mod keys;
mod session;

use crate::Problem;
use domain::token::{PersonalToken, Scope};
use keys::SigningKeys;
use store::rows::{AccountRow, SessionRow, TokenRow, now};
use store::{Aws, StoreError, Table};

/// What checks tokens.
pub struct Auth {
    table: Table,
    keys: SigningKeys,
}

/// What a request came with.
pub enum By {
    /// An access token of a session, which may do everything that the account may.
    Session(SessionRow),
    /// A personal access token, which may do what its scopes say.
    Personal(TokenRow),
}

/// Who is asking.
pub struct Caller {
    /// The account.
    pub account: AccountRow,
    /// With what.
    pub by: By,
}

impl Auth {
    /// What checks tokens with the table and the signing secret that the environment names.
    ///
    /// # Errors
    /// [`StoreError`] when they are not there, or the secret cannot be used.
    pub async fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
            keys: SigningKeys::from_env(aws).await?,
        })
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// 401 when it is not good (any more).
    pub async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        if let Ok(token) = token.parse::<PersonalToken>() {
            return self.bearer(&token).await;
        }
        let claims = self.keys.verify(token).await?;
        let found = self.table.sessions().get(&claims.sub, &claims.sid, now()).await?;
        let (account, session) =
            found.ok_or_else(|| Problem::unauthorized("the session is over; sign in again"))?;
        Ok(Caller {
            account,
            by: By::Session(session),
        })
    }

    async fn bearer(&self, token: &PersonalToken) -> Result<Caller, Problem> {
        let found = self.table.tokens().get(&token.account, &token.id, now()).await?;
        let (account, row) = found
            .filter(|(_, row)| row.hash == token.secret.hash())
            .ok_or_else(|| {
                Problem::unauthorized("the token is not good, or not any more; make another one")
            })?;
        Ok(Caller {
            account,
            by: By::Personal(row),
        })
    }
}

impl Caller {
    /// Whether the caller may do what wants this scope.
    ///
    /// # Errors
    /// 403.
    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        match &self.by {
            By::Personal(token) if !token.scopes.contains(&scope) => Err(Problem::insufficient_scope(scope)),
            By::Personal(_) | By::Session(_) => Ok(()),
        }
    }

    /// The session, for what no personal access token may do: a token that can make others, or change the password, could
    /// not be taken away.
    ///
    /// # Errors
    /// 403.
    pub fn session(&self) -> Result<&SessionRow, Problem> {
        match &self.by {
            By::Session(session) => Ok(session),
            By::Personal(_) => Err(Problem::forbidden(
                "a personal access token cannot do this; sign in with the password",
            )),
        }
    }
}
