//! Files, and what files and folders have in common.

use crate::answer::{Created, NoContent, Redirect, Tagged};
use crate::body::Json;
use crate::declaration::Declaration;
use crate::page::Items;
use crate::query::{Cursor, Limit};
use domain::content::ContentId;
use domain::id::NodeId;
use domain::name::Name;
use domain::path::Path;
use domain::placement::Destination;
use domain::replica;
use domain::search::Words;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<List>(),
    Declaration::of::<Search>(),
    Declaration::of::<Get>(),
    Declaration::of::<Download>(),
    Declaration::of::<Link>(),
    Declaration::of::<Update>(),
    Declaration::of::<Copy>(),
    Declaration::of::<Delete>(),
];

endpoint! {
    /// Lists a folder by name
    List: "file-list", GET "/v1/files", listFiles;
    caller: Scope(Read),
    query: Entries,
    answer: Json<Items<Node>> = "The entries",
    problems: [NotFound],
}

endpoint! {
    /// Finds files and folders by words in their names
    Search: "file-search", GET "/v1/search", searchFiles;
    caller: Scope(Read),
    query: Wanted,
    answer: Json<Items<Found>> = "Some of what there is, by folder and then by name. A page may have fewer items than `limit`, or none, and there may be more all the same: as long as `next_cursor` is not `null`. What was made, moved or renamed in the last seconds may be missing",
    problems: [NotFound],
}

endpoint! {
    /// Shows a file or a folder
    Get: "file-get", GET "/v1/files/{id}", getFile;
    caller: Scope(Read),
    path: NodeId,
    answer: Tagged<Node> = "The file or folder",
    problems: [],
}

endpoint! {
    /// Leads to a file's bytes
    Download: "file-download", GET "/v1/files/{id}/content", downloadFile;
    caller: Scope(Read),
    path: NodeId,
    query: WhichContent,
    answer: Redirect = "The bytes are there for a while; the address needs no token and must get none",
    problems: [BytesUnavailable],
}

endpoint! {
    /// Returns a URL of a file's bytes, for callers that cannot read a redirect
    Link: "file-link", GET "/v1/files/{id}/link", linkFile;
    caller: Scope(Read),
    path: NodeId,
    query: WhichContent,
    answer: Json<SignedLink> = "The bytes are there for a while; the address needs no token and must get none",
    problems: [BytesUnavailable],
}

endpoint! {
    /// Renames or moves a file or a folder
    Update: "file-update", PATCH "/v1/files/{id}", updateFile;
    caller: Scope(Upload),
    path: NodeId,
    body: Json<Destination>,
    precondition: IfMatch,
    answer: Tagged<Node> = "The file or folder as it is now",
    problems: [NameTaken, ParentNotFound, TooDeep, WithinItself, InTrash, ChangedMeanwhile],
}

endpoint! {
    /// Makes a copy of a file, without moving its bytes
    Copy: "file-copy", POST "/v1/files/{id}/copy", copyFile;
    caller: Scope(Upload),
    path: NodeId,
    body: Json<Destination>,
    idempotency: Key,
    answer: Created<Node> = "The file that has the content there: a new one, or one that was there",
    problems: [NameTaken, ParentNotFound, QuotaExceeded, ChangedMeanwhile, BytesUnavailable],
}

endpoint! {
    /// Brings a file or a folder into the trash, or removes it
    Delete: "file-delete", DELETE "/v1/files/{id}", deleteFile;
    caller: Scope(Admin),
    path: NodeId,
    query: Deletion,
    precondition: IfMatch,
    answer: NoContent = "It is done" | Json<DeletedFolder> = "It is done; uploads into the folder are still open",
    problems: [FolderNotEmpty, ChangedMeanwhile, Unreadable],
}

query! {
    /// Which entries of a folder are wanted.
    Entries {
        parent: NodeId = "Which folder; the root if there is none",
        path: Path = "Which folder, by its path instead of its id: `/reports/2026`",
        name: Name = "Only the entry of this name",
        cursor: Cursor = "`next_cursor` of the page before",
        limit: Limit<50, 1000> = "How many items the page has at most",
    }
}

query! {
    /// What is looked for.
    Wanted {
        !q: Words = "Words that all have to be in the name, wherever, in any order and case",
        under: NodeId = "Only what is in this folder, or in a folder within it",
        cursor: Cursor = "`next_cursor` of the page before",
        limit: Limit<100, 1000> = "How many items the page has at most",
    }
}

query! {
    /// Which content of a file is wanted.
    WhichContent {
        number: u64 = "The number of a version; the content that the file has now if there is none",
    }
}

query! {
    /// How something is deleted.
    Deletion {
        permanently: bool = "`true`: it is removed, with all that is in it, and cannot be restored. What is in the trash is removed from there",
    }
}

/// What a node is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It has bytes.
    File,
    /// It has entries.
    Folder,
}

/// A file or a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Node {
    /// Which one.
    pub id: NodeId,
    /// File or folder.
    pub kind: Kind,
    /// Its name, which nothing else in its folder has.
    pub name: Name,
    /// The folder that it is in; `null` is the root.
    pub parent: Option<NodeId>,
    /// How many bytes it has; `null` of a folder.
    pub size: Option<u64>,
    /// Its media type, if that was said.
    pub content_type: Option<String>,
    /// What its bytes are; `null` of a folder.
    pub content_id: Option<ContentId>,
    /// Goes up with every change. In quotes it is its `ETag`.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// Since when it is in the trash; absent when it is not, or only because a folder that it is in is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trashed_at: Option<Timestamp>,
    /// The copies of its bytes at other stores; only in an answer about one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Vec<Replica>>,
}

/// A file or a folder that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found {
    /// As it is now.
    pub node: Node,
    /// Where it is: `/reports/2026/may.pdf`.
    pub path: String,
}

/// One copy of a file's bytes at one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Replica {
    /// The name of the target.
    pub target: String,
    /// What kind of store that is.
    pub kind: String,
    /// How far it is.
    pub state: replica::State,
    /// How many bytes are copied and verified.
    pub bytes_done: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The key of the object in the target's bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it began to wait.
    pub since: Timestamp,
    /// When it became available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_at: Option<Timestamp>,
    /// How long it took to become available, or has been taking.
    pub lag_seconds: i64,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Where a file's bytes can be read for a while.
#[derive(Serialize, JsonSchema)]
pub struct SignedLink {
    /// A presigned URL: anybody who has it can GET the bytes, as an attachment with the file's name.
    pub url: String,
    /// When the URL stops working.
    pub expires_at: Timestamp,
    /// How many bytes there are.
    pub size: u64,
    /// What the bytes are.
    pub content_id: ContentId,
}

/// A folder that is deleted or in the trash while uploads into it are open.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedFolder {
    /// How many, counted up to 1000. They are still listed, can be given up, and can be completed into another folder.
    pub open_uploads: u32,
}
