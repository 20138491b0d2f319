//! Who is asking, and what they may do.
//!
//! A request carries an access token of a session, or a personal access token. Either is looked up with the account at each
//! request, so that what was ended is over from the next request on.

pub mod keys;
mod session;

use crate::call::Call;
use crate::problem::{Problem, ProblemDocument};
use domain::account::Role;
use domain::token::{PersonalToken, Scope};
use keys::SigningKeys;
use store::rows::{AccountRow, SessionRow, TokenRow};
use store::{Environment, StoreError, Table};
use wire::{Declares, caller, code};

/// What checks tokens.
pub struct Auth {
    table: Table,
    keys: SigningKeys,
}

/// What a request came with.
enum By {
    /// An access token of a session, which may do everything that the account may.
    Session(SessionRow),
    /// A personal access token, which may do what its scopes say.
    Personal(TokenRow),
}

/// Who is asking.
pub struct Caller {
    /// The account.
    pub account: AccountRow,
    by: By,
}

/// Who is asking, with a session.
pub struct SignedIn {
    /// The account.
    pub account: AccountRow,
    /// The session.
    pub session: SessionRow,
}

/// What a handler is told of who calls, by who may call its endpoint.
pub trait Admits {
    /// The account, with its session where it has to be one; `()` where anybody may call.
    type Caller: Send + Sync;

    /// Of somebody who may call. `None` of somebody else.
    fn told(caller: Option<Caller>) -> Option<Self::Caller>;
}

impl Admits for caller::Anybody {
    type Caller = ();

    fn told(_: Option<Caller>) -> Option<()> {
        Some(())
    }
}

impl Admits for caller::Session {
    type Caller = SignedIn;

    fn told(caller: Option<Caller>) -> Option<SignedIn> {
        let Caller { account, by } = caller?;
        match by {
            By::Session(session) => Some(SignedIn { account, session }),
            By::Personal(_) => None,
        }
    }
}

impl Admits for caller::Scope {
    type Caller = AccountRow;

    fn told(caller: Option<Caller>) -> Option<AccountRow> {
        caller.map(|caller| caller.account)
    }
}

/// Which scope it needs, the handler knows when it has read the request.
impl Admits for caller::EitherScope {
    type Caller = Caller;

    fn told(caller: Option<Caller>) -> Option<Caller> {
        caller
    }
}

impl Admits for caller::Operator {
    type Caller = AccountRow;

    fn told(caller: Option<Caller>) -> Option<AccountRow> {
        caller.map(|caller| caller.account)
    }
}

impl Auth {
    /// What checks tokens with the table and the signing secret that the environment names.
    ///
    /// # Errors
    /// [`StoreError`] when they are not there, or the secret cannot be used.
    pub async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            keys: SigningKeys::from_env(environment).await?,
        })
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// Who calls, if they may.
    ///
    /// # Errors
    /// 401 when the request carries no token that is good, 403 when the token or the account is not good for this.
    pub(crate) async fn admit(&self, wanted: wire::Caller, call: &Call) -> Result<Caller, ProblemDocument> {
        let caller = self.caller(call.bearer_token()?).await?;
        match wanted {
            wire::Caller::Anybody => {}
            wire::Caller::Session => caller.has_session()?,
            wire::Caller::Scope(scope) => caller.may(scope)?,
            wire::Caller::EitherScope(one, other) => {
                if caller.may(other).is_err() {
                    caller.may(one)?;
                }
            }
            wire::Caller::Operator(scope) => {
                caller.may(scope)?;
                caller.is_operator()?;
            }
        }
        Ok(caller)
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// 401 when it is not good (any more).
    async fn caller(&self, token: &str) -> Result<Caller, ProblemDocument> {
        if let Ok(token) = token.parse::<PersonalToken>() {
            return self.bearer(&token).await;
        }
        let claims = self.keys.verify(token).await?;
        let found = self
            .table
            .sessions()
            .get(&claims.sub, &claims.sid, self.table.now())
            .await?;
        let (account, session) =
            found.ok_or_else(|| ProblemDocument::unauthorized("the session is over; sign in again"))?;
        Ok(Caller {
            account,
            by: By::Session(session),
        })
    }

    async fn bearer(&self, token: &PersonalToken) -> Result<Caller, ProblemDocument> {
        let found = self
            .table
            .tokens()
            .get(&token.account, &token.id, self.table.now())
            .await?;
        let (account, row) = found
            .filter(|(_, row)| row.hash == token.secret.hash())
            .ok_or_else(|| {
                ProblemDocument::unauthorized("the token is not good, or not any more; make another one")
            })?;
        Ok(Caller {
            account,
            by: By::Personal(row),
        })
    }
}

impl Caller {
    /// Lets pass who may do what this scope is for.
    ///
    /// # Errors
    /// 403 when the token is not good for it.
    pub fn needs<E: Declares<code::InsufficientScope>>(&self, scope: Scope) -> Result<(), Problem<E>> {
        self.may(scope).map_err(Problem::of)
    }

    fn may(&self, scope: Scope) -> Result<(), ProblemDocument> {
        match &self.by {
            By::Personal(token) if !token.scopes.contains(&scope) => {
                Err(ProblemDocument::insufficient_scope(scope))
            }
            By::Personal(_) | By::Session(_) => Ok(()),
        }
    }

    fn is_operator(&self) -> Result<(), ProblemDocument> {
        if self.account.role == Role::Operator {
            return Ok(());
        }
        Err(ProblemDocument::forbidden(
            "this is for operators; whoever runs this Longshore makes accounts operators",
        ))
    }

    /// For what no personal access token may do: a token that can make others, or change the password, could not be taken
    /// away.
    fn has_session(&self) -> Result<(), ProblemDocument> {
        match &self.by {
            By::Session(_) => Ok(()),
            By::Personal(_) => Err(ProblemDocument::forbidden(
                "a personal access token cannot do this; sign in with the password",
            )),
        }
    }
}
