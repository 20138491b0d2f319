//! What the endpoints answer. Fields this client does not know are ignored and states it does not know become
//! `Other`, so that a newer server does not break an older client.

mod account;
mod node;
mod replication;

pub use account::{Account, Role, Used};
pub use node::{Found, Node, NodeKind, Trashed, Version};
pub use replication::{Circuit, CircuitState, Redriven, Replica, ReplicaState, Target, TargetStatus};

use crate::secret::{SignedUrl, Token};
use domain::content::{ContentId, PartDigest};
use domain::proof;
pub use domain::token::{Scope, Scopes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What signing in returns.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// Goes into the `Authorization` header.
    pub access_token: Token,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// Is exchanged for the next two, once.
    pub refresh_token: Token,
    /// Until when, unless it is.
    pub refresh_expires_at: Timestamp,
}

/// A session of the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActiveSession {
    /// Opaque id.
    pub id: String,
    /// Whether it is the session of this client.
    pub current: bool,
    /// What the client that began it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last exchanged.
    pub refreshed_at: Timestamp,
    /// When it ends if they are not exchanged again.
    pub expires_at: Timestamp,
}

/// A personal access token to make.
#[derive(Debug, Clone, Serialize)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it lets its bearer do.
    pub scopes: Scopes,
    /// How long it is good.
    pub expires_in_days: u16,
}

/// A personal access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PersonalToken {
    /// Opaque id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it lets its bearer do, in words.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The token itself, in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// The service has such bytes; a client that proves that it has them too need not send them.
    ProofRequired,
    /// Takes parts.
    Open,
    /// The store is putting the parts together.
    Finalizing,
    /// There is a file.
    Complete,
    /// The client gave it up.
    Aborted,
    /// Nobody touched it for too long.
    Expired,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

impl UploadState {
    /// Whether the upload has not ended yet.
    #[must_use]
    pub fn is_in_progress(self) -> bool {
        matches!(self, Self::ProofRequired | Self::Open | Self::Finalizing)
    }
}

/// What happens when the name is taken at the moment the file comes into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// There is no file, but `name_taken`.
    #[default]
    Fail,
    /// The file gets the first free name of the kind `a (1).txt`.
    Rename,
    /// The file of that name keeps its id and gets the new bytes. A folder stays what it is: `name_taken`.
    Replace,
    /// Something a newer server knows. Not to be sent.
    #[serde(other)]
    Other,
}

impl OnConflict {
    /// Whether it is what happens where nothing is said.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

/// What has to be answered to prove that one has the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "algorithm")]
pub enum Challenge {
    /// The HMAC of some ranges of the file, with the nonce as key.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256(proof::Challenge),
    /// Something a newer server knows. It need not be answered: the bytes can be sent.
    #[serde(other)]
    Other,
}

/// A session that turns parts into a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Opaque id.
    pub id: String,
    /// Where it stands.
    pub state: UploadState,
    /// What the file will be called.
    pub name: String,
    /// The folder it will be in; `None` at the top.
    #[serde(default)]
    pub parent: Option<String>,
    /// Bytes the file will have.
    pub size: u64,
    /// Bytes of every part but the last.
    pub part_size: u64,
    /// How many parts there are.
    pub part_count: u32,
    /// What the uploader said it is.
    #[serde(default)]
    pub content_type: Option<String>,
    /// What the uploader said its bytes are.
    #[serde(default)]
    pub content_id: Option<ContentId>,
    /// What happens when the name is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// When it expires if nobody touches it.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was begun.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The parts the store has; only in the answers about one upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Vec<ReceivedPart>>,
    /// What to prove, while it can be.
    #[serde(default, skip_serializing)]
    pub challenge: Option<Challenge>,
    /// The file, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Node>,
}

/// A part the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedPart {
    /// From 1.
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// Base64 of the digest the store computed; text, because a store may give none or something else.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// What to begin an upload with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewUpload {
    /// What the file will be called.
    pub name: String,
    /// The folder it will be in; `None` at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Bytes.
    pub size: u64,
    /// What it is, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What its bytes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<ContentId>,
    /// What happens when the name is taken.
    #[serde(skip_serializing_if = "OnConflict::is_fail")]
    pub on_conflict: OnConflict,
}

/// Where a file or folder shall go instead of where it is, or the file of an upload instead of where that was begun to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// What it will be called.
    pub name: String,
    /// The folder it will be in; `None`, which is sent as `null`, at the top.
    pub parent: Option<String>,
    /// What happens when the name is taken.
    pub on_conflict: OnConflict,
}

/// What removing a file or folder returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Removed {
    /// How many unfinished uploads were going into the folder.
    #[serde(default)]
    pub open_uploads: u64,
}

/// What is done to many files and folders in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Batch {
    /// They come into another folder.
    Move {
        /// Its id; `None`, which is sent as `null`, is the top.
        parent: Option<String>,
        /// What happens when a name is taken.
        on_conflict: OnConflict,
    },
    /// They come into the trash.
    Trash,
    /// They come back from the trash, each into the folder that it was in.
    Restore {
        /// What happens when a name is taken.
        on_conflict: OnConflict,
    },
    /// They are removed, from the trash as well.
    Delete,
}

/// One of many files and folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BatchItem<'a> {
    /// Which one.
    pub id: &'a str,
    /// The version that it is about, if no other is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl<'a> From<&'a str> for BatchItem<'a> {
    fn from(id: &'a str) -> Self {
        Self { id, version: None }
    }
}

/// What became of one of many files and folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchDone {
    /// As it is now, when it was moved or restored.
    pub node: Option<Node>,
    /// How many unfinished uploads were going into the folder, when it was deleted.
    pub open_uploads: u64,
}

/// Where a file's bytes can be read for a while.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// Needs no token, and must get none.
    pub url: SignedUrl,
    /// When the URL stops working.
    pub expires_at: Timestamp,
    /// How many bytes there are.
    pub size: u64,
    /// What the bytes are.
    pub content_id: ContentId,
}

/// A part to ask a URL for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PartToSign {
    /// From 1.
    pub number: u32,
    /// Binds the URL to these bytes.
    pub sha256: PartDigest,
}

/// Permission to send one part to the store.
#[derive(Debug, Clone, Deserialize)]
pub struct SignedPart {
    /// From 1.
    pub number: u32,
    /// Where to PUT the bytes.
    pub url: SignedUrl,
    /// Headers to send exactly so.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When the store stops taking it.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Ask with this for the next page; `None` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_server_does_not_break_the_reader() {
        let upload: Upload = serde_json::from_str(
            r#"{"id":"u","state":"thinking","name":"n","parent":null,"size":1,"part_size":8388608,
                "part_count":1,"received":[{"number":1,"size":1,"etag":"x"}],"mood":"good","on_conflict":"ask",
                "challenge":{"algorithm":"KMAC256","nonce":"x"}}"#,
        )
        .unwrap();
        assert_eq!(
            (upload.state, upload.on_conflict),
            (UploadState::Other, OnConflict::Other)
        );
        assert_eq!(upload.challenge, Some(Challenge::Other));
        assert_eq!(upload.received.unwrap()[0].sha256, None);
        let node: Node = serde_json::from_str(
            r#"{"id":"f","kind":"link","name":"n","parent":"p","created_at":"2026-11-01T10:00:00Z",
                "replicas":[{"target":"t","state":"dreaming","bytes_done":0,"attempts":0,"lag_seconds":1,
                "since":"2026-11-01T10:00:00Z","updated_at":"2026-11-01T10:00:01Z","mood":"good"}]}"#,
        )
        .unwrap();
        assert_eq!(node.kind, NodeKind::Other);
        assert_eq!(node.replicas.unwrap()[0].state, ReplicaState::Other);
    }
}
