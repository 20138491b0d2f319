//! Who is signed in.

use super::account::AccountRow;
use super::keys::account_partition;
use crate::table::{Key, Row};
use domain::id::{AccountId, PersonalTokenId, SessionId};
use domain::session::{ClientName, Refreshing};
use domain::token::{Scopes, SecretHash, TokenName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRow {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: SessionId,
    /// What the account had of `sign_outs` when it began. It is over when the account has more.
    #[serde(default)]
    pub sign_outs: u64,
    /// What the client that began it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientName>,
    /// Its refresh tokens.
    #[serde(flatten)]
    pub refreshing: Refreshing,
}

impl SessionRow {
    /// How the sort keys of an account's sessions begin.
    pub const PREFIX: &'static str = "SESSION#";

    /// Whether it goes on at `now`. It does not when its account was signed out everywhere since it began.
    #[must_use]
    pub fn is_active(&self, account: &AccountRow, now: Timestamp) -> bool {
        // More than the account it has by a new password only, before which the account was read.
        self.sign_outs >= account.sign_outs && now < self.refreshing.ends_at()
    }

    /// Where a session is.
    #[must_use]
    pub fn key_of(account: &AccountId, session: &SessionId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{session}", Self::PREFIX),
        }
    }
}

impl Row for SessionRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.refreshing.ends_at())
    }
}

/// A personal access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRow {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: PersonalTokenId,
    /// What its owner calls it.
    pub name: TokenName,
    /// What it lets its bearer do.
    pub scopes: Scopes,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl TokenRow {
    /// How the sort keys of an account's tokens begin.
    pub const PREFIX: &'static str = "TOKEN#";

    /// Where a token is.
    #[must_use]
    pub fn key_of(account: &AccountId, token: &PersonalTokenId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{token}", Self::PREFIX),
        }
    }
}

impl Row for TokenRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
