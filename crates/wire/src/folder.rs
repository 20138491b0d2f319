//! Folders.

use crate::answer::Created;
use crate::body::Json;
use crate::declaration::Declaration;
use crate::file::Node;
use domain::id::NodeId;
use domain::name::Name;
use domain::placement::OnConflict;
use schemars::JsonSchema;
use serde::Deserialize;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[Declaration::of::<Create>()];

endpoint! {
    /// Makes a folder
    Create: "folder-create", POST "/v1/folders", createFolder;
    caller: Scope(Upload),
    body: Json<NewFolder>,
    idempotency: Key,
    answer: Created<Node> = "The folder",
    problems: [NameTaken, ParentNotFound, TooDeep, ChangedMeanwhile],
}

/// A folder that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFolder {
    /// What it shall be called.
    pub name: Name,
    /// The folder that it shall be in; the root if there is none.
    pub parent: Option<NodeId>,
    /// What to do when the name is taken. A folder replaces nothing.
    #[serde(default)]
    #[schemars(extend("enum" = ["fail", "rename"]))]
    pub on_conflict: OnConflict,
}
