//! The tokens of a session, kept good while many calls, and maybe other processes, use them.
//!
//! A refresh token can be exchanged once; who comes with it again ends the session. So one exchange is made at a time, and
//! before it the [`Keeper`] is asked whether another process has made one already.

use crate::error::{ApiError, Carried};
use crate::secret::Token;
use crate::types;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long before its end an access token is not begun with any more.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Goes into the `Authorization` header.
    pub access: Token,
    /// Until when it is good, by the clock of this machine.
    pub good_until: Timestamp,
    /// Is exchanged for the next two, once.
    pub refresh: Token,
}

impl Tokens {
    /// The tokens of an answer to a question that was asked at `asked`.
    #[must_use]
    pub fn of(session: types::Session, asked: Timestamp) -> Self {
        let lives = SignedDuration::from_secs(i64::try_from(session.expires_in).unwrap_or(i64::MAX));
        Self {
            access: session.access_token,
            good_until: asked.checked_add(lives).unwrap_or(Timestamp::MAX),
            refresh: session.refresh_token,
        }
    }

    fn is_good(&self) -> bool {
        let wanted = Timestamp::now().checked_add(MARGIN);
        wanted.is_ok_and(|wanted| wanted < self.good_until)
    }

    fn will_do(&self, refused: Option<&Token>) -> bool {
        self.is_good() && Some(&self.access) != refused
    }
}

/// Where the tokens of a session are kept between calls and for other processes.
pub trait Keeper: Send + Sync {
    /// What is kept there, if anything is.
    fn load(&self) -> Option<Tokens>;

    /// Keeps the tokens in the place of those before, which are worth nothing any more. What is kept is one of these if its
    /// refresh token is among `before`; anything else is of another session, or newer, and has to stay. Looking and keeping
    /// are one step, whatever other processes do.
    fn keep(&self, tokens: &Tokens, before: &[Token]);
}

/// Nowhere: the session is this process's alone.
pub struct InMemory;

impl Keeper for InMemory {
    fn load(&self) -> Option<Tokens> {
        None
    }

    fn keep(&self, _: &Tokens, _: &[Token]) {}
}

/// What calls carry.
#[derive(Clone, Default)]
pub(crate) enum Credentials {
    /// Nothing.
    #[default]
    Nobody,
    /// A token that is what it is.
    Token(Token),
    /// The tokens of a session, which change.
    Session(Arc<Session>),
}

impl Credentials {
    /// What a person has to know about them.
    pub(crate) fn kind(&self) -> Carried {
        match self {
            Self::Nobody => Carried::Nothing,
            Self::Token(_) => Carried::Token,
            Self::Session(_) => Carried::Session,
        }
    }
}

/// A session in use.
pub(crate) struct Session {
    held: Arc<Mutex<Held>>,
    keeper: Box<dyn Keeper>,
}

/// The tokens of this moment, and the refresh tokens of all moments before. What is older and what is newer is told by
/// these, because clocks are set back.
struct Held {
    tokens: Tokens,
    before: Vec<Token>,
}

impl Held {
    fn replace(&mut self, tokens: Tokens) {
        let before = std::mem::replace(&mut self.tokens, tokens);
        self.before.push(before.refresh);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

impl Session {
    pub(crate) fn new(tokens: Tokens, keeper: Box<dyn Keeper>) -> Self {
        Self {
            held: Arc::new(Mutex::new(Held {
                tokens,
                before: Vec::new(),
            })),
            keeper,
        }
    }

    /// An access token: a good one as far as can be known here, and not the one that was `refused`. `exchange` makes the
    /// call that exchanges a refresh token. It is made to its end, and its tokens are kept, also if the caller stops waiting:
    /// those that are here are worth nothing from then on.
    pub(crate) async fn access<F>(
        self: &Arc<Self>,
        refused: Option<&Token>,
        exchange: impl FnOnce(Token) -> F + Send + 'static,
    ) -> Result<Token, ApiError>
    where
        F: Future<Output = Result<types::Session, ApiError>> + Send,
    {
        let held = Arc::clone(&self.held).lock_owned().await;
        if held.tokens.will_do(refused) {
            return Ok(held.tokens.access.clone());
        }
        let (session, refused) = (Arc::clone(self), refused.cloned());
        let exchanged = tokio::spawn(async move { session.renewed(held, refused.as_ref(), exchange).await });
        exchanged
            .await
            .map_err(|error| ApiError::Setup(error.to_string()))?
    }

    /// Waits until no exchange is under way.
    pub(crate) async fn settled(&self) {
        drop(self.held.lock().await);
    }

    async fn renewed<F>(
        &self,
        mut held: OwnedMutexGuard<Held>,
        refused: Option<&Token>,
        exchange: impl FnOnce(Token) -> F,
    ) -> Result<Token, ApiError>
    where
        F: Future<Output = Result<types::Session, ApiError>>,
    {
        if self.others_have_exchanged(&mut held) && held.tokens.will_do(refused) {
            return Ok(held.tokens.access.clone());
        }
        let asked = Timestamp::now();
        match exchange(held.tokens.refresh.clone()).await {
            Ok(session) => {
                held.replace(Tokens::of(session, asked));
                self.keeper.keep(&held.tokens, &held.before);
                Ok(held.tokens.access.clone())
            }
            // At the same moment.
            Err(_) if self.others_have_exchanged(&mut held) && held.tokens.will_do(refused) => {
                Ok(held.tokens.access.clone())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes over what another process has got for the refresh token that is known here. What is kept may also be older,
    /// where the last tokens could not be kept.
    fn others_have_exchanged(&self, held: &mut Held) -> bool {
        let is_known =
            |kept: &Tokens| kept.refresh == held.tokens.refresh || held.before.contains(&kept.refresh);
        let kept = self.keeper.load().filter(|kept| !is_known(kept));
        let others = kept.is_some();
        if let Some(kept) = kept {
            held.replace(kept);
        }
        others
    }
}
