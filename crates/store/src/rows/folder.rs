//! Folders without what is in them, and the order in which they change.

use super::keys::account_partition;
use crate::table::{Key, Row};
use domain::folders::Place;
use domain::id::{AccountId, NodeId};
use serde::{Deserialize, Serialize};

/// Where a folder is. All folders of an account are read by these alone: among the nodes are all files, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRow {
    /// Whose it is.
    pub account: AccountId,
    /// The folder.
    pub id: NodeId,
    /// The folder it is in; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// It is in the trash. What is within it is not marked.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub trashed: bool,
}

impl FolderRow {
    /// What all folders' sort keys begin with.
    pub const PREFIX: &str = "FOLDER#";

    /// Where it is for the rules.
    #[must_use]
    pub fn place(self) -> Place {
        if self.trashed {
            Place::Trash
        } else {
            self.parent.into()
        }
    }

    /// Where a folder is.
    #[must_use]
    pub fn key_of(account: &AccountId, folder: &NodeId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{folder}", Self::PREFIX),
        }
    }
}

impl Row for FolderRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// How often an account's folders have changed: what was read of them is still so as long as this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderChangesRow {
    /// How many folders have come into being.
    pub creations: u64,
    /// How often one was moved, into the trash and out of it as well.
    pub moves: u64,
    /// Partition key; such a row comes into being by being added to.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl FolderChangesRow {
    /// Where it is.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key {
            pk: account_partition(account),
            sk: "FOLDERS".to_owned(),
        }
    }
}

impl Row for FolderChangesRow {
    fn key(&self) -> Key {
        Key {
            pk: self.pk.clone(),
            sk: self.sk.clone(),
        }
    }
}
