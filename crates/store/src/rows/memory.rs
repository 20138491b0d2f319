//! What is remembered of requests for a while.

use super::keys::account_partition;
use super::session::SessionRow;
use crate::table::{Key, Row};
use domain::account::Username;
use domain::id::AccountId;
use domain::throttle::{Attempts, Source, hash};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The answer to a request that was made with an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyRow {
    /// Whose request it was.
    pub account: AccountId,
    /// The SHA-256 of the endpoint and the key, in base64: keys are the client's, and may be anything.
    pub key_hash: String,
    /// The SHA-256 of the body, in base64.
    pub fingerprint: String,
    /// The status that was answered.
    pub status: u16,
    /// The `Location` that was answered.
    pub location: String,
    /// The body that was answered, as JSON text.
    pub answer: String,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

impl KeyRow {
    /// Where the answer to a key is.
    #[must_use]
    pub fn key_of(account: &AccountId, key_hash: &str) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("KEY#{key_hash}"),
        }
    }
}

impl Row for KeyRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.key_hash)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

/// What somebody may do only so often an hour. What was spent is written and looked at in one conditional update, and never
/// read.
#[derive(Debug, Clone, Copy)]
pub enum Allowance<'a> {
    /// To ask for contents that the account does not have.
    LookUps(&'a AccountId),
    /// The same, of all accounts at one source.
    LookUpsFrom(&'a Source),
    /// To make something: an upload, a folder, a token.
    Creates(&'a AccountId),
    /// To read what searches read: pages of entries, and hundreds of nodes.
    Searches(&'a AccountId),
    /// To make an account.
    AccountsFrom(&'a Source),
    /// To sign in, with any name.
    SignInsFrom(&'a Source),
    /// To sign in with this name from anywhere that is not known of its owner.
    SignInsAs(&'a Username),
}

impl Allowance<'_> {
    /// Where it is for an hour, counted from 1970.
    #[must_use]
    pub fn key(&self, hour: i64) -> Key {
        let (pk, what) = match self {
            Self::LookUps(account) => (account_partition(account), "LOOKUPS"),
            Self::Creates(account) => (account_partition(account), "CREATES"),
            Self::Searches(account) => (account_partition(account), "SEARCHES"),
            Self::LookUpsFrom(source) => (format!("SOURCE#{source}"), "LOOKUPS"),
            Self::AccountsFrom(source) => (format!("SOURCE#{source}"), "ACCOUNTS"),
            Self::SignInsFrom(source) => (format!("SOURCE#{source}"), "SIGNINS"),
            Self::SignInsAs(username) => (sign_in_partition(username), "SIGNINS"),
        };
        Key {
            pk,
            sk: format!("ALLOWANCE#{what}#{hour}"),
        }
    }
}

/// The partition of what is counted about a name that somebody wants to sign in with. There need not be such an account, and
/// what people type into the wrong field is not kept.
fn sign_in_partition(username: &Username) -> String {
    format!("SIGNIN#{}", hash("username", username.as_str()))
}

/// Attempts at a password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AttemptsRow {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
    /// The attempts.
    #[serde(flatten)]
    pub attempts: Attempts,
}

impl AttemptsRow {
    /// Where attempts to sign in from a source are.
    #[must_use]
    pub fn of_sign_in(username: &Username, source: &Source) -> Key {
        Key {
            pk: sign_in_partition(username),
            sk: format!("ATTEMPTS#{source}"),
        }
    }

    /// Where attempts are to give the password once more in a session: somebody with one stolen session
    /// cannot make the others wait.
    #[must_use]
    pub fn of_session(session: &SessionRow) -> Key {
        Key {
            pk: account_partition(&session.account),
            sk: format!("ATTEMPTS#{}", session.id),
        }
    }
}

impl Row for AttemptsRow {
    fn key(&self) -> Key {
        Key {
            pk: self.pk.clone(),
            sk: self.sk.clone(),
        }
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.attempts.forgotten_at())
    }
}

/// Where the owner of an account has signed in from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KnownSourceRow {
    /// The account.
    pub account: AccountId,
    /// The source, as it is counted.
    pub source: String,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

impl KnownSourceRow {
    /// Where it is.
    #[must_use]
    pub fn key_of(account: &AccountId, source: &Source) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("SOURCE#{source}"),
        }
    }
}

impl Row for KnownSourceRow {
    fn key(&self) -> Key {
        Key {
            pk: account_partition(&self.account),
            sk: format!("SOURCE#{}", self.source),
        }
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
