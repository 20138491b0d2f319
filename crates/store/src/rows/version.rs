//! The contents that files have and had.

use super::keys::account_partition;
use super::tree::{FileContent, NodeRow};
use crate::table::{Key, Row};
use domain::content::ContentId;
use domain::id::{AccountId, BlobId, NodeId};
use domain::trash::expires_at;
use domain::versions::{Held, VersionPolicy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A content that a file had, and may have again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Whose it is.
    pub account: AccountId,
    /// The file.
    pub node: NodeId,
    /// The content, as the file had it.
    pub file: FileContent,
    /// When the file got another one.
    pub replaced_at: Timestamp,
    /// When it is removed, if it is not kept for good. What is due is not there any more for its owner.
    pub expires_at: Timestamp,
}

impl VersionRow {
    /// What the sort keys of all versions begin with.
    pub const PREFIX: &str = "VERSION#";

    /// What becomes of the content of a file that gets another one.
    #[must_use]
    pub fn of(node: &NodeRow, file: &FileContent, policy: VersionPolicy, now: Timestamp) -> Self {
        Self {
            account: node.account.clone(),
            node: node.id.clone(),
            file: FileContent {
                since: Some(file.since.unwrap_or(node.created_at)),
                restored: None,
                ..file.clone()
            },
            replaced_at: now,
            expires_at: expires_at(now, policy.days),
        }
    }

    /// What the sort keys of a file's versions begin with.
    #[must_use]
    pub fn prefix(node: &NodeId) -> String {
        format!("{}{node}#", Self::PREFIX)
    }

    /// Where the version of this number is.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId, number: u64) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{number:010}", Self::prefix(node)),
        }
    }

    /// Whether its owner still sees it.
    #[must_use]
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.file.kept || now < self.expires_at
    }

    /// As the rule of how many there may be sees it.
    #[must_use]
    pub fn held(&self) -> Held {
        Held {
            number: self.file.number,
            kept: self.file.kept,
        }
    }
}

impl Row for VersionRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.node, self.file.number)
    }

    fn due_at(&self) -> Option<Timestamp> {
        (!self.file.kept).then_some(self.expires_at)
    }
}

/// An account has this content, in a file or in a version of one: what makes a second upload of the same bytes instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContentReferenceRow {
    /// Whose file it is.
    pub account: AccountId,
    /// The content.
    pub content_id: ContentId,
    /// The file.
    pub node: NodeId,
    /// Which content of the file it is.
    pub number: u64,
    /// The blob it refers to.
    pub blob: BlobId,
}

impl ContentReferenceRow {
    /// The content reference of a content of a file.
    #[must_use]
    pub fn of(account: &AccountId, node: &NodeId, file: &FileContent) -> Self {
        Self {
            account: account.clone(),
            content_id: file.content_id,
            node: node.clone(),
            number: file.number,
            blob: file.blob.clone(),
        }
    }

    /// What the sort keys of all the account's files and versions with this content begin with.
    #[must_use]
    pub fn prefix(content: &ContentId) -> String {
        format!("HAS_CONTENT#{content}#")
    }

    /// Where the content reference of a content of a file is.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId, file: &FileContent) -> Key {
        Key {
            pk: account_partition(account),
            sk: Self::sort_key(&file.content_id, node, file.number),
        }
    }

    fn sort_key(content: &ContentId, node: &NodeId, number: u64) -> String {
        format!("{}{node}#{number}", Self::prefix(content))
    }
}

impl Row for ContentReferenceRow {
    fn key(&self) -> Key {
        Key {
            pk: account_partition(&self.account),
            sk: Self::sort_key(&self.content_id, &self.node, self.number),
        }
    }
}
