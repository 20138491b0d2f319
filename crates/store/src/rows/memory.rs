//! What is remembered of requests for a while.

use super::account_partition;
use crate::table::{Key, Row};
use domain::id::AccountId;
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

    fn expires_by_itself_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

/// What an account has spent of its allowance of one hour to ask for contents that it does not have. Written and looked at
/// in one conditional update, and never read.
pub struct Allowance;

impl Allowance {
    /// Where the allowance of an hour, counted from 1970, is.
    #[must_use]
    pub fn key_of(account: &AccountId, hour: i64) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("ALLOWANCE#{hour}"),
        }
    }
}
