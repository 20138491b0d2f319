//! Invitations.

use crate::table::{Key, Row};
use domain::account::Username;
use domain::id::{AccountId, InvitationId};
use domain::invitation::Note;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What its code is good for, once: to make an account, or to set the password of one anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationRow {
    /// The hash of the code.
    pub id: InvitationId,
    /// Whom it is for, as an administrator wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// What the account may store that is made by it, if that is not the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// Whose password it sets. Without it, it makes an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_of: Option<Owner>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good, in whole seconds.
    pub expires_at: Timestamp,
    /// When it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// What the account is called that was made by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Username>,
}

/// An account and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub username: Username,
}

impl InvitationRow {
    /// The partition of all of them. There are few, and administrators read them in one list.
    pub const PARTITION: &'static str = "INVITATIONS";
    /// How their sort keys begin.
    pub const PREFIX: &'static str = "INVITATION#";

    /// Where an invitation is.
    #[must_use]
    pub fn key_of(id: &InvitationId) -> Key {
        Key {
            pk: Self::PARTITION.to_owned(),
            sk: format!("{}{id}", Self::PREFIX),
        }
    }

    /// Whether it can be used at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}

impl Row for InvitationRow {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
