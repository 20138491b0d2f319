//! Files and folders.

use super::{UploadRow, account_partition};
use crate::table::{Key, Row};
use domain::content::ContentId;
use domain::id::{AccountId, BlobId, NodeId};
use domain::name::Name;
use domain::placement::Taken;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its id.
    pub id: NodeId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name within the parent.
    pub name: Name,
    /// The folder it is in; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// What a file has and a folder has not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileContent>,
    /// How many entries a folder has. Kept by the transactions that add and remove them.
    #[serde(default)]
    pub entries: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a file refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContent {
    /// Bytes.
    pub size: u64,
    /// The media type that downloads have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// What identifies the bytes.
    pub content_id: ContentId,
    /// Where the bytes are.
    pub blob: BlobId,
}

impl FileContent {
    /// What the file of an upload refers to.
    #[must_use]
    pub fn of(upload: &UploadRow, content_id: ContentId, blob: &BlobId) -> Self {
        let (size, content_type) = (upload.size, upload.content_type.clone());
        Self {
            size,
            content_type,
            content_id,
            blob: blob.clone(),
        }
    }
}

impl NodeRow {
    /// What all nodes' sort keys begin with.
    pub const PREFIX: &str = "NODE#";

    /// As what it takes its name.
    #[must_use]
    pub fn taken(&self) -> Taken {
        match self.file {
            Some(_) => Taken::ByFile,
            None => Taken::ByFolder,
        }
    }

    /// Where a node is.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{node}", Self::PREFIX),
        }
    }
}

impl Row for NodeRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// The entry of a folder for one node: makes names unique within it, and lists them in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryRow {
    /// Whose it is.
    pub account: AccountId,
    /// The folder; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// The name within it.
    pub name: Name,
    /// What is called so.
    pub node: NodeId,
}

impl EntryRow {
    /// What the sort keys of a folder's entries begin with. The root is the folder without an id.
    #[must_use]
    pub fn prefix(parent: Option<&NodeId>) -> String {
        format!("ENTRY#{}#", parent.map_or("", NodeId::as_str))
    }

    /// Where an entry is.
    #[must_use]
    pub fn key_of(account: &AccountId, parent: Option<&NodeId>, name: &Name) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{name}", Self::prefix(parent)),
        }
    }

    /// The entry of a node.
    #[must_use]
    pub fn of(node: &NodeRow) -> Self {
        let NodeRow {
            account,
            parent,
            name,
            id,
            ..
        } = node.clone();
        Self {
            account,
            parent,
            name,
            node: id,
        }
    }
}

impl Row for EntryRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, self.parent.as_ref(), &self.name)
    }
}

/// An account has a file with this content: what makes a second upload of the same bytes instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldingRow {
    /// Whose file it is.
    pub account: AccountId,
    /// The content.
    pub content_id: ContentId,
    /// The file.
    pub node: NodeId,
    /// The blob it refers to.
    pub blob: BlobId,
}

impl HoldingRow {
    /// The holding of a file.
    #[must_use]
    pub fn of(node: &NodeRow, file: &FileContent) -> Self {
        let (content_id, blob) = (file.content_id, file.blob.clone());
        Self {
            account: node.account.clone(),
            content_id,
            node: node.id.clone(),
            blob,
        }
    }

    /// What the sort keys of all the account's files with this content begin with.
    #[must_use]
    pub fn prefix(content: &ContentId) -> String {
        format!("HOLDS#{content}#")
    }

    /// Where a holding is.
    #[must_use]
    pub fn key_of(account: &AccountId, content: &ContentId, node: &NodeId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{node}", Self::prefix(content)),
        }
    }
}

impl Row for HoldingRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.content_id, &self.node)
    }
}
