//! What clients see of what is stored: the shapes of the API's answers.

use domain::account::{Role, Username};
use domain::content::{ContentId, PartDigest};
use domain::id::{AccountId, NodeId, PersonalTokenId, UploadId};
use domain::name::Name;
use domain::placement::OnConflict;
use domain::possession::{ByteRange, Nonce};
use domain::targets::roster::{Member, Standing};
use domain::token::{Scopes, TokenName};
use domain::{possession, replica, upload};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use store::objects::SignedRequest;
use store::rows::{AccountRow, NodeRow, ReplicaRow, TokenRow, UploadRow};
use store::targets::Status;

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Account {
    id: AccountId,
    username: Username,
    quota_bytes: u64,
    used_bytes: u64,
    role: Role,
    created_at: Timestamp,
}

impl From<&AccountRow> for Account {
    fn from(row: &AccountRow) -> Self {
        Self {
            id: row.id.clone(),
            username: row.username.clone(),
            quota_bytes: row.quota_bytes,
            used_bytes: row.quota().used(),
            role: row.role,
            created_at: row.created_at,
        }
    }
}

/// What a client has of a session. It has no `Debug` form: it is nothing but secrets.
#[derive(Serialize, JsonSchema)]
pub struct Session {
    /// For the `Authorization` header.
    pub access_token: String,
    /// How it is sent there: always `Bearer`.
    #[schemars(extend("const" = "Bearer"))]
    pub token_type: &'static str,
    /// How long it is good, in seconds.
    pub expires_in: i64,
    /// What is exchanged for the next two, once.
    pub refresh_token: String,
    /// Until when.
    pub refresh_expires_at: Timestamp,
}

/// A personal access token.
#[derive(Serialize, JsonSchema)]
pub struct PersonalToken {
    id: PersonalTokenId,
    name: TokenName,
    scopes: Scopes,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<&TokenRow> for PersonalToken {
    fn from(row: &TokenRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            scopes: row.scopes.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            token: None,
        }
    }
}

impl PersonalToken {
    /// With what its bearer sends, which is known when it is made and never again.
    #[must_use]
    pub fn with_text(self, token: String) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }
}

/// A part that the store has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReceivedPart {
    number: u32,
    size: u64,
    sha256: PartDigest,
}

/// What has to be answered to get a file without sending its bytes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Challenge {
    #[schemars(extend("const" = "HMAC-SHA256"))]
    algorithm: &'static str,
    nonce: Nonce,
    ranges: Vec<ByteRange>,
    expires_at: Timestamp,
}

impl From<&possession::Challenge> for Challenge {
    fn from(challenge: &possession::Challenge) -> Self {
        Self {
            algorithm: "HMAC-SHA256",
            nonce: challenge.nonce,
            ranges: challenge.ranges.clone(),
            expires_at: challenge.expires_at,
        }
    }
}

/// An upload.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Upload {
    id: UploadId,
    state: upload::State,
    name: Name,
    parent: Option<NodeId>,
    size: u64,
    part_size: u64,
    part_count: u32,
    content_type: Option<String>,
    content_id: Option<ContentId>,
    on_conflict: OnConflict,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<Challenge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Vec<ReceivedPart>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Node>,
}

impl Upload {
    /// An upload as it is written down, for whoever asks now: a challenge that is over is not shown.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt` when the stored size has no part plan.
    pub fn new(row: &UploadRow) -> Result<Self, store::StoreError> {
        let plan = row.parts()?;
        let state = row.session().state_at(store::rows::now());
        let challenge = row.challenge.as_ref();
        let challenge = challenge.filter(|_| state == upload::State::ProofRequired);
        Ok(Self {
            id: row.id.clone(),
            state,
            name: row.name.clone(),
            parent: row.parent.clone(),
            size: row.size,
            part_size: plan.part_size(),
            part_count: plan.part_count(),
            content_type: row.content_type.clone(),
            content_id: row.content_id,
            on_conflict: row.on_conflict,
            created_at: row.created_at,
            expires_at: row.expires_at,
            challenge: challenge.map(|stored| Challenge::from(&stored.challenge)),
            received: None,
            file: None,
        })
    }

    /// Adds the parts that the store has.
    #[must_use]
    pub fn with_received(self, parts: Vec<(u32, u64, PartDigest)>) -> Self {
        let part = |(number, size, sha256)| ReceivedPart { number, size, sha256 };
        Self {
            received: Some(parts.into_iter().map(part).collect()),
            ..self
        }
    }

    /// Adds the file it became, with its copies as of a moment.
    #[must_use]
    pub fn with_file(self, node: &NodeRow, replicas: &[ReplicaRow], at: Timestamp) -> Self {
        Self {
            file: Some(Node::from(node).with_replicas(replicas, at)),
            ..self
        }
    }

    /// Where it can be read, seen from `POST /v1/uploads`. Relative, because a stage of the gateway or a custom
    /// domain may put something in front of `/v1`.
    #[must_use]
    pub fn location(row: &UploadRow) -> String {
        format!("uploads/{}", row.id)
    }
}

/// What a node is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    File,
    Folder,
}

/// A file or a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Node {
    id: NodeId,
    kind: Kind,
    name: Name,
    parent: Option<NodeId>,
    size: Option<u64>,
    content_type: Option<String>,
    content_id: Option<ContentId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<Vec<Replica>>,
}

impl From<&NodeRow> for Node {
    fn from(row: &NodeRow) -> Self {
        let file = row.file.as_ref();
        Self {
            id: row.id.clone(),
            kind: if file.is_some() { Kind::File } else { Kind::Folder },
            name: row.name.clone(),
            parent: row.parent.clone(),
            size: file.map(|file| file.size),
            content_type: file.and_then(|file| file.content_type.clone()),
            content_id: file.map(|file| file.content_id),
            created_at: row.created_at,
            updated_at: row.updated_at,
            replicas: None,
        }
    }
}

impl Node {
    /// Adds the copies at the targets as of a moment: until when those are waited for that are not available.
    #[must_use]
    pub fn with_replicas(self, replicas: &[ReplicaRow], at: Timestamp) -> Self {
        Self {
            replicas: Some(replicas.iter().map(|row| Replica::new(row, at)).collect()),
            ..self
        }
    }

    /// Where it can be read, seen from `POST /v1/folders`; relative, as for uploads.
    #[must_use]
    pub fn location(row: &NodeRow) -> String {
        format!("files/{}", row.id)
    }
}

/// One copy of a file's bytes at one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Replica {
    target: String,
    kind: String,
    state: replica::State,
    bytes_done: u64,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_at: Option<Timestamp>,
    lag_seconds: i64,
    updated_at: Timestamp,
}

impl Replica {
    fn new(row: &ReplicaRow, at: Timestamp) -> Self {
        Self {
            target: row.target.clone(),
            kind: row.kind.clone(),
            state: row.state,
            bytes_done: row.bytes_done,
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            key: row.key.clone(),
            since: row.since,
            available_at: row.available_at,
            lag_seconds: row.lag(at).as_secs(),
            updated_at: row.updated_at,
        }
    }
}

/// A target, and how it is doing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Target {
    name: String,
    kind: String,
    standing: Standing,
    circuit: Circuit,
    pending: i64,
    pending_bytes: i64,
    failed: i64,
    failed_bytes: i64,
    available: i64,
    available_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_pending_since: Option<Timestamp>,
    lag_seconds: i64,
    bytes_per_second: u64,
}

/// Whether a target is left alone for a while.
#[derive(Debug, Serialize, JsonSchema)]
struct Circuit {
    #[schemars(extend("enum" = ["closed", "open", "probing"]))]
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_until: Option<Timestamp>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Target {
    /// A target as it is doing at `now`.
    #[must_use]
    pub fn new(member: &Member, status: &Status, now: Timestamp) -> Self {
        let Status {
            tally,
            oldest,
            bytes_per_second,
            circuit: row,
            skipped: _,
        } = status;
        let circuit = Circuit {
            state: match row.circuit.open_until {
                None => "closed",
                Some(_) if row.circuit.probing => "probing",
                Some(_) => "open",
            },
            open_until: row.circuit.open_until,
            failures: row.circuit.failures,
            reason: row.reason.clone(),
        };
        Self {
            name: member.name.clone(),
            kind: member.kind.clone(),
            standing: member.standing,
            circuit,
            pending: tally.pending.max(0),
            pending_bytes: tally.pending_bytes.max(0),
            failed: tally.failed.max(0),
            failed_bytes: tally.failed_bytes.max(0),
            available: tally.available.max(0),
            available_bytes: tally.available_bytes.max(0),
            oldest_pending_since: *oldest,
            lag_seconds: oldest.map_or(0, |at| now.duration_since(at).as_secs().max(0)),
            bytes_per_second: *bytes_per_second,
        }
    }
}

/// A folder that is deleted while uploads into it are open.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedFolder {
    /// How many, counted up to 1000. They are still listed, can be given up, and can be completed into another folder.
    pub open_uploads: u32,
}

/// How many failed replicas of a target are tried again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redriven {
    /// How many.
    pub redriven: u64,
    /// Whether there are others: ask again.
    pub more: bool,
    /// How many cannot be read, and were left out; absent when there are none. The log of the function has their keys.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped: usize,
}

/// How to send one part.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedPart {
    number: u32,
    url: String,
    headers: BTreeMap<String, String>,
    expires_at: Timestamp,
}

impl SignedPart {
    /// The request for part `number`.
    #[must_use]
    pub fn new(number: u32, request: SignedRequest) -> Self {
        let SignedRequest {
            url,
            headers,
            expires_at,
        } = request;
        Self {
            number,
            url,
            headers,
            expires_at,
        }
    }
}

/// How to send some parts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedParts {
    /// Each part that was asked for, in the order in which it was.
    pub parts: Vec<SignedPart>,
}

/// Some items, and where the next ones begin.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Items<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next ones; `null` at the end.
    pub next_cursor: Option<String>,
    /// How many things that belong here cannot be read, and are missing; absent when none is. The log of the function has
    /// their keys.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    /// An answer that is remembered has to be the one that was given, so it depends on nothing but what it is made of.
    #[test]
    fn how_long_a_copy_is_waited_for_is_as_of_the_moment_that_is_given() {
        let since: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let target = Member {
            name: "far".to_owned(),
            kind: "ceph".to_owned(),
            standing: Standing::Active,
            only_by_policy: false,
        };
        let row = ReplicaRow::pending(&"b1".parse().unwrap(), 5, &target, since);
        let lag = |at| Replica::new(&row, at).lag_seconds;
        assert_eq!(lag(since), 0);
        assert_eq!(lag(since + SignedDuration::from_secs(7)), 7);
        assert_eq!(lag(since - SignedDuration::from_secs(7)), 0);
    }
}
