//! Accounts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keep files.
    #[default]
    User,
    /// Besides, look after the targets.
    Operator,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// One registered user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Opaque id.
    pub id: String,
    /// The name to sign in with.
    pub username: String,
    /// How many bytes the account may hold.
    pub quota_bytes: u64,
    /// How many bytes it holds.
    pub used_bytes: u64,
    /// What holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
    /// What it may do. A new account's answer need not say.
    #[serde(default)]
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an account holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Files as they are now.
    pub files: u64,
    /// Earlier versions of files.
    pub versions: u64,
    /// What is in the trash.
    pub trash: u64,
    /// Uploads that have not ended.
    pub open_uploads: u64,
}
