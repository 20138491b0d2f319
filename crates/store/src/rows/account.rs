//! Accounts and usernames.

use super::keys::account_partition;
use crate::table::{Key, Row};
use domain::account::{Quota, Role, Used, Username};
use domain::id::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// How it signs in.
    pub username: Username,
    /// Argon2id, in PHC string form.
    pub password_hash: String,
    /// All it may use, in bytes.
    pub quota_bytes: u64,
    /// What is left of it, in bytes; below zero when the quota was lowered below what is used.
    pub free_bytes: i64,
    /// Bytes in earlier versions of its files.
    #[serde(default, skip_serializing_if = "is_none")]
    pub version_bytes: i64,
    /// Bytes of what is in its trash. A folder there counts once the sweep has counted what is in it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub trash_bytes: i64,
    /// What it may do besides.
    #[serde(default, skip_serializing_if = "Role::is_usual")]
    pub role: Role,
    /// How often it was signed out everywhere: sessions that began before the last time are over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sign_outs: u64,
    /// Since when it is being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_started_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_none(bytes: &i64) -> bool {
    *bytes == 0
}

impl AccountRow {
    /// The sort key of every account.
    pub const SORT_KEY: &str = crate::key::ACCOUNT;

    /// Where an account is.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key {
            pk: account_partition(account),
            sk: Self::SORT_KEY.to_owned(),
        }
    }

    /// Its quota.
    #[must_use]
    pub fn quota(&self) -> Quota {
        Quota {
            limit: self.quota_bytes,
            free: self.free_bytes,
        }
    }

    /// What it uses, by kind, of which open uploads have so many bytes.
    #[must_use]
    pub fn used(&self, open_uploads: u64) -> Used {
        self.quota()
            .used_by_kind(self.version_bytes, self.trash_bytes, open_uploads)
    }
}

impl Row for AccountRow {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// Which account has a username. Its existence makes usernames unique.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsernameRow {
    /// The username.
    pub username: Username,
    /// Whose it is.
    pub account: AccountId,
}

impl UsernameRow {
    /// Where a username is.
    #[must_use]
    pub fn key_of(username: &Username) -> Key {
        Key {
            pk: format!("USERNAME#{username}"),
            sk: "USERNAME".to_owned(),
        }
    }
}

impl Row for UsernameRow {
    fn key(&self) -> Key {
        Self::key_of(&self.username)
    }
}
