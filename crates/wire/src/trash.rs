//! The trash.

use crate::answer::{NoContent, Tagged};
use crate::body::{IfAny, Json};
use crate::declaration::Declaration;
use crate::file::Node;
use crate::page::Items;
use crate::query::Paged;
use domain::id::NodeId;
use domain::placement::Destination;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<List>(),
    Declaration::of::<Restore>(),
    Declaration::of::<Empty>(),
];

endpoint! {
    /// Lists what is in the trash, the newest first
    List: "trash-list", GET "/v1/trash", listTrash;
    caller: Scope(Read),
    query: Paged,
    answer: Json<Items<Trashed>> = "What is in the trash",
    problems: [],
}

endpoint! {
    /// Restores a file or a folder from the trash
    Restore: "trash-restore", POST "/v1/trash/{id}/restore", restoreTrash;
    caller: Scope(Upload),
    path: NodeId,
    body: IfAny<Destination>,
    precondition: IfMatch,
    answer: Tagged<Node> = "The file or folder as it is now",
    problems: [NameTaken, ParentNotFound, TooDeep, WithinItself, InTrash, ChangedMeanwhile],
}

endpoint! {
    /// Removes all that is in the trash
    Empty: "trash-empty", DELETE "/v1/trash", emptyTrash;
    caller: Scope(Admin),
    answer: NoContent = "Nothing is in it any more; the room is free some minutes later",
    problems: [],
}

/// A file or a folder in the trash.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Trashed {
    /// As it was.
    pub node: Node,
    /// Where it was, and goes back to: `/reports/2026/may.pdf`; `null` when its folder is not there any more.
    pub path: Option<String>,
    /// Since when it is in the trash.
    pub trashed_at: Timestamp,
    /// When it is removed.
    pub expires_at: Timestamp,
    /// How many bytes it has with all that is removed with it; `null` of a folder until that is counted, mostly within a minute.
    pub bytes: Option<u64>,
    /// How many files that is, 1 for a file; `null` as `bytes` is.
    pub files: Option<u64>,
}
