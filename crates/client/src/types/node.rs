//! Files and folders.

use super::replication::Replica;
use domain::content::ContentId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an entry of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Has bytes.
    File,
    /// Has children.
    Folder,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// An entry of an account's tree: a folder or a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Opaque id.
    pub id: String,
    /// File or folder.
    pub kind: NodeKind,
    /// Unique within the parent.
    pub name: String,
    /// The folder it is in; `None` at the top.
    #[serde(default)]
    pub parent: Option<String>,
    /// Bytes (files only).
    #[serde(default)]
    pub size: Option<u64>,
    /// What the uploader said it is (files only).
    #[serde(default)]
    pub content_type: Option<String>,
    /// What identifies its bytes (files only).
    #[serde(default)]
    pub content_id: Option<ContentId>,
    /// Another one after each change.
    #[serde(default)]
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Since when it is in the trash, if it is there by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed_at: Option<Timestamp>,
    /// Copies at other stores; only in the answers about one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Vec<Replica>>,
    /// The number of the content that is meant, whatever the file has by then; size, type and content are those of it.
    #[serde(skip)]
    pub number: Option<u64>,
}

/// A content that a file has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Opaque id.
    pub id: String,
    /// Which content of the file it is, counted from 1.
    pub number: u64,
    /// Whether the file has it now.
    pub current: bool,
    /// Bytes.
    pub size: u64,
    /// What the uploader said it is.
    #[serde(default)]
    pub content_type: Option<String>,
    /// What identifies its bytes.
    pub content_id: ContentId,
    /// When the file got it.
    pub created_at: Timestamp,
    /// When the file got another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
    /// Whether it is kept for good.
    #[serde(default)]
    pub kept: bool,
    /// When it is removed, if it is not kept for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A file or folder that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// As it is.
    pub node: Node,
    /// Where it is, with a slash in front.
    pub path: String,
}

/// A file or folder that is in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    /// As it was.
    pub node: Node,
    /// Where it was; `None` when its folder is not there any more.
    #[serde(default)]
    pub path: Option<String>,
    /// Since when it is in the trash.
    pub trashed_at: Timestamp,
    /// When it is removed.
    pub expires_at: Timestamp,
    /// How many bytes it has with all that is removed with it; `None` of a folder until that is counted.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// How many files these are.
    #[serde(default)]
    pub files: Option<u64>,
}
