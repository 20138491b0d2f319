//! Versions: earlier contents of files.

use crate::answer::{NoContent, Tagged};
use crate::body::Json;
use crate::declaration::Declaration;
use crate::file::Node;
use crate::page::Items;
use domain::content::ContentId;
use domain::id::NodeId;
use domain::versions::VersionId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[
    Declaration::of::<List>(),
    Declaration::of::<Restore>(),
    Declaration::of::<Update>(),
    Declaration::of::<Delete>(),
];

endpoint! {
    /// Lists the versions of a file, the newest first
    List: "version-list", GET "/v1/files/{id}/versions", listVersions;
    caller: Scope(Read),
    path: NodeId,
    answer: Json<Items<Version>> = "The content that the file has, and those that it had: all of them, `next_cursor` is `null`",
    problems: [],
}

endpoint! {
    /// Gives a file the content of a version again
    Restore: "version-restore", POST "/v1/versions/{id}/restore", restoreVersion;
    caller: Scope(Upload),
    path: VersionId,
    precondition: IfMatch,
    answer: Tagged<Node> = "The file as it is now; the content that it had is a version",
    problems: [InTrash, ParentNotFound, ChangedMeanwhile],
}

endpoint! {
    /// Keeps a version for good, or not any more
    Update: "version-update", PATCH "/v1/versions/{id}", updateVersion;
    caller: Scope(Upload),
    path: VersionId,
    body: Json<Keep>,
    answer: Json<Version> = "The version as it is now",
    problems: [TooManyKept, ChangedMeanwhile],
}

endpoint! {
    /// Removes a version
    Delete: "version-delete", DELETE "/v1/versions/{id}", deleteVersion;
    caller: Scope(Admin),
    path: VersionId,
    answer: NoContent = "It is done",
    problems: [ChangedMeanwhile],
}

/// Whether a version is kept.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(rename = "KeepVersion")]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// `true`: for good. `false`: for as many days as versions are kept, from now on.
    pub kept: bool,
}

/// A content that a file has or had.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Version {
    /// Which one: the file's id, a point, and `number`.
    pub id: VersionId,
    /// Which content of the file it is. Each later one has a larger number, and no number is used again.
    pub number: u64,
    /// Whether the file has it now. If not, it can be restored.
    pub current: bool,
    /// How many bytes it has.
    pub size: u64,
    /// Its media type, if that was said.
    pub content_type: Option<String>,
    /// What its bytes are.
    pub content_id: ContentId,
    /// When the file got it.
    pub created_at: Timestamp,
    /// When the file got another one; absent of the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
    /// Whether it is kept for good.
    pub kept: bool,
    /// When it is removed; absent of the current one, and of one that is kept for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
