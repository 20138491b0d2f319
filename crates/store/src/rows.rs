//! Everything that is written into the table, kind by kind. `docs/data-model.md` explains it key by key.

use crate::table::{Key, Row};
use domain::account::{Quota, Username};
use domain::blob::Life;
use domain::content::{ContentId, PartDigest, PartPlan};
use domain::id::{AccountId, BlobId, NodeId, UploadId};
use domain::name::Name;
use domain::{replica, upload};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The present moment, in whole milliseconds: what is stored and shown needs no more.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// A new random identifier. It says nothing about when or for whom it was made.
///
/// # Panics
/// Never: a UUID is a valid identifier.
#[must_use]
#[expect(clippy::expect_used, reason = "a UUID always is a valid identifier")]
pub fn new_id<T: std::str::FromStr>() -> T {
    uuid::Uuid::new_v4()
        .simple()
        .to_string()
        .parse()
        .ok()
        .expect("a UUID is a valid identifier")
}

/// The partition of everything that belongs to one account.
#[must_use]
pub fn account_partition(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

/// The partition of everything about one blob.
#[must_use]
pub fn blob_partition(blob: &BlobId) -> String {
    format!("BLOB#{blob}")
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// How it signs in.
    pub username: Username,
    /// Argon2id, in PHC string form.
    pub password_hash: String,
    /// All it may use, in bytes.
    pub quota_bytes: u64,
    /// What is left of it, in bytes.
    pub free_bytes: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AccountRow {
    /// Where an account is.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key {
            pk: account_partition(account),
            sk: "ACCOUNT".to_owned(),
        }
    }

    /// Its quota.
    #[must_use]
    pub fn quota(&self) -> Quota {
        Quota {
            limit: self.quota_bytes,
            free: self.free_bytes,
        }
    }
}

impl Row for AccountRow {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// Which account has a username. Its existence makes usernames unique.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsernameRow {
    /// The username.
    pub username: Username,
    /// Whose it is.
    pub account: AccountId,
}

impl UsernameRow {
    /// Where a username is.
    #[must_use]
    pub fn key_of(username: &Username) -> Key {
        Key {
            pk: format!("USERNAME#{username}"),
            sk: "USERNAME".to_owned(),
        }
    }
}

impl Row for UsernameRow {
    fn key(&self) -> Key {
        Self::key_of(&self.username)
    }
}

/// An upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it stands.
    pub state: upload::State,
    /// What the file will be called.
    pub name: Name,
    /// The folder it will be in; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// Bytes, reserved of the account's quota while the upload lives.
    pub size: u64,
    /// The media type that downloads will have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// What the client says the bytes are. Checked at finalize.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_id: Option<ContentId>,
    /// The blob that the parts become, unless their content exists already.
    pub blob: BlobId,
    /// S3's id of the multipart upload, once there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub multipart_id: Option<String>,
    /// When it expires if nobody touches it.
    pub expires_at: Timestamp,
    /// Until when a finalize holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lease_until: Option<Timestamp>,
    /// The file it became.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<NodeId>,
    /// It ended, and left something at the store that has to be discarded: since when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discard_since: Option<Timestamp>,
    /// When it ended, however it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the writes of this row.
    pub version: u64,
}

impl UploadRow {
    /// What all uploads' sort keys begin with.
    pub const PREFIX: &str = "UPLOAD#";

    /// Where an upload is.
    #[must_use]
    pub fn key_of(account: &AccountId, upload: &UploadId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{upload}", Self::PREFIX),
        }
    }

    /// What decides about its state.
    #[must_use]
    pub fn session(&self) -> upload::Session {
        upload::Session {
            state: self.state,
            expires_at: self.expires_at,
            lease_until: self.lease_until,
        }
    }

    /// How it is cut into parts. The size was checked when the upload was made.
    ///
    /// # Errors
    /// [`crate::StoreError::Corrupt`] when the stored size has no plan.
    pub fn parts(&self) -> Result<PartPlan, crate::StoreError> {
        PartPlan::for_size(self.size).map_err(|e| crate::StoreError::Corrupt(e.to_string()))
    }

    /// The key of the object that the parts become.
    #[must_use]
    pub fn object_key(&self) -> String {
        object_key(&self.blob)
    }
}

impl Row for UploadRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }

    fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            upload::State::Open => Some(self.expires_at),
            upload::State::Finalizing => self.lease_until,
            _ => self.discard_since,
        }
    }

    fn expires_by_itself_at(&self) -> Option<Timestamp> {
        let ended_at = self.ended_at.filter(|_| self.discard_since.is_none())?;
        ended_at.checked_add(upload::RETENTION).ok()
    }
}

/// The key of a blob's object in the primary store.
#[must_use]
pub fn object_key(blob: &BlobId) -> String {
    format!("blobs/{blob}")
}

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

impl NodeRow {
    /// Where a node is.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("NODE#{node}"),
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

/// The blob that has this content. At most one blob has it that new files may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContentRow {
    /// The content.
    pub content_id: ContentId,
    /// The blob.
    pub blob: BlobId,
}

impl ContentRow {
    /// Where a content is.
    #[must_use]
    pub fn key_of(content: &ContentId) -> Key {
        Key {
            pk: format!("CONTENT#{content}"),
            sk: "CONTENT".to_owned(),
        }
    }
}

impl Row for ContentRow {
    fn key(&self) -> Key {
        Self::key_of(&self.content_id)
    }
}

/// A blob.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlobRow {
    /// Its id.
    pub id: BlobId,
    /// What identifies its bytes.
    pub content_id: ContentId,
    /// How many there are.
    pub size: u64,
    /// How many files refer to it.
    pub references: u64,
    /// Its bytes are being deleted.
    #[serde(default)]
    pub reclaiming: bool,
    /// When the sweep looks at it, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl BlobRow {
    /// Where a blob is.
    #[must_use]
    pub fn key_of(blob: &BlobId) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: "BLOB".to_owned(),
        }
    }

    /// What decides about its life.
    #[must_use]
    pub fn life(&self) -> Life {
        let examine_at = self.due_at.and_then(|second| Timestamp::from_second(second).ok());
        Life {
            references: self.references,
            reclaiming: self.reclaiming,
            examine_at,
        }
    }

    /// How it is cut into parts.
    ///
    /// # Errors
    /// [`crate::StoreError::Corrupt`] when the stored size has no plan.
    pub fn parts(&self) -> Result<PartPlan, crate::StoreError> {
        PartPlan::for_size(self.size).map_err(|e| crate::StoreError::Corrupt(e.to_string()))
    }
}

impl Row for BlobRow {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// A page of a blob's ledger: the digests of up to [`LedgerRow::PARTS`] parts, as S3 gave them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The blob.
    pub blob: BlobId,
    /// Which page, from 0.
    pub page: u32,
    /// The digests, in the order of the parts.
    pub digests: Vec<PartDigest>,
}

impl LedgerRow {
    /// How many parts a page has: 44 characters each, far from DynamoDB's 400 KB an item.
    pub const PARTS: u32 = 1000;
    /// What all pages' sort keys begin with.
    pub const PREFIX: &str = "LEDGER#";

    /// Where a page is.
    #[must_use]
    pub fn key_of(blob: &BlobId, page: u32) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: format!("{}{page:04}", Self::PREFIX),
        }
    }

    /// A whole ledger in pages.
    #[must_use]
    pub fn pages(blob: &BlobId, digests: &[PartDigest]) -> Vec<Self> {
        let pages = (0u32..).zip(digests.chunks(Self::PARTS as usize));
        pages
            .map(|(page, digests)| Self {
                blob: blob.clone(),
                page,
                digests: digests.to_vec(),
            })
            .collect()
    }
}

impl Row for LedgerRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob, self.page)
    }
}

/// One copy of a blob at one target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplicaRow {
    /// The blob.
    pub blob: BlobId,
    /// The target's name.
    pub target: String,
    /// The target's kind.
    pub kind: String,
    /// Where it stands.
    pub state: replica::State,
    /// Recorded so far.
    pub bytes_done: u64,
    /// How many segments are recorded.
    #[serde(default)]
    pub segments_done: u32,
    /// How many attempts failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_error: Option<String>,
    /// The multipart upload at the target, while one is under way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub multipart_id: Option<String>,
    /// The object's key at the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// When something last happened to it.
    pub updated_at: Timestamp,
    /// When the sweep looks at it, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<i64>,
}

impl ReplicaRow {
    /// What all replicas' sort keys begin with.
    pub const PREFIX: &str = "REPLICA#";

    /// Where a replica is.
    #[must_use]
    pub fn key_of(blob: &BlobId, target: &str) -> Key {
        Key {
            pk: blob_partition(blob),
            sk: format!("{}{target}", Self::PREFIX),
        }
    }

    /// A replica of which nothing was copied yet.
    #[must_use]
    pub fn pending(blob: &BlobId, target: &crate::config::TargetName, now: Timestamp) -> Self {
        Self {
            blob: blob.clone(),
            target: target.name.clone(),
            kind: target.kind.clone(),
            state: replica::State::Pending,
            bytes_done: 0,
            segments_done: 0,
            attempts: 0,
            last_error: None,
            multipart_id: None,
            key: None,
            updated_at: now,
            due_at: now
                .checked_add(replica::STALLED_AFTER)
                .ok()
                .map(Timestamp::as_second),
        }
    }
}

impl Row for ReplicaRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob, &self.target)
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at.and_then(|second| Timestamp::from_second(second).ok())
    }
}

/// A segment that is at the target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentRow {
    /// The blob.
    pub blob: BlobId,
    /// The target's name.
    pub target: String,
    /// Which segment, from 0.
    pub segment: u32,
    /// The multipart upload at the target that it is part of.
    pub multipart_id: String,
    /// The target's `ETag` for each part, in the order of the parts.
    pub etags: Vec<String>,
}

impl SegmentRow {
    /// What the sort keys of all segments of one replica begin with.
    #[must_use]
    pub fn prefix(target: &str) -> String {
        format!("SEGMENT#{target}#")
    }
}

impl Row for SegmentRow {
    fn key(&self) -> Key {
        let sk = format!("{}{:05}", Self::prefix(&self.target), self.segment);
        Key {
            pk: blob_partition(&self.blob),
            sk,
        }
    }
}
