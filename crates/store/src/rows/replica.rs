//! Replicas and their segments.

use super::keys::blob_partition;
use super::target::{WaitingFor, waiting_shard};
use crate::table::{Key, Row, Waiting};
use domain::id::BlobId;
use domain::replica;
use domain::targets::registry::Member;
use domain::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One copy of a blob at one target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplicaRow {
    /// The blob.
    pub blob: BlobId,
    /// The target's name.
    pub target: String,
    /// The target's kind.
    pub kind: String,
    /// How many bytes the blob has.
    pub size: u64,
    /// Where it stands.
    pub state: replica::State,
    /// Recorded so far.
    pub bytes_done: u64,
    /// How many segments are recorded.
    #[serde(default)]
    pub segments_done: u32,
    /// How often its multipart upload at the target was gone, and another one was begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// How many attempts failed.
    #[serde(default)]
    pub attempts: u32,
    /// It failed, and there is a dead letter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead_lettered: bool,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_error: Option<String>,
    /// The multipart upload at the target, while one is under way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub multipart_id: Option<String>,
    /// The object's key at the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// The target's own checksum of the object, once it is complete and verified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checksum: Option<String>,
    /// When it began to wait for its bytes: when it was made, or lost them.
    pub since: Timestamp,
    /// When it became available.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub available_at: Option<Timestamp>,
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
    pub fn pending(blob: &BlobId, size: u64, target: &Member, now: Timestamp) -> Self {
        Self {
            blob: blob.clone(),
            target: target.name.clone(),
            kind: target.kind.clone(),
            size,
            state: replica::State::Pending,
            bytes_done: 0,
            segments_done: 0,
            restarts: 0,
            attempts: 0,
            dead_lettered: false,
            last_error: None,
            multipart_id: None,
            key: None,
            checksum: None,
            since: now,
            available_at: None,
            updated_at: now,
            due_at: Some(saturating_add(now, replica::STALLED_AFTER).as_second()),
        }
    }

    /// How long it waited for its bytes, or has been waiting until `now`.
    #[must_use]
    pub fn lag(&self, now: Timestamp) -> SignedDuration {
        let end = self.available_at.unwrap_or(now);
        end.duration_since(self.since).max(SignedDuration::ZERO)
    }
}

impl Row for ReplicaRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob, &self.target)
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at.and_then(|second| Timestamp::from_second(second).ok())
    }

    fn waits(&self) -> Option<Waiting> {
        Some(Waiting {
            shard: waiting_shard(&self.target, waiting_for(self.state)?, &self.blob),
            since: self.since,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "Serde wants it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// In which list of its target a replica in this state is; `None` when it does not wait for anything.
#[must_use]
pub fn waiting_for(state: replica::State) -> Option<WaitingFor> {
    match state {
        replica::State::Pending | replica::State::Copying => Some(WaitingFor::Bytes),
        replica::State::Failed => Some(WaitingFor::Somebody),
        replica::State::Available => None,
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
    /// The target's receipt for each part, in the order of the parts.
    pub receipts: Vec<String>,
}

impl SegmentRow {
    /// What the sort keys of all segments of one replica begin with.
    #[must_use]
    pub fn prefix(target: &str) -> String {
        format!("SEGMENT#{target}#")
    }

    /// Where a segment is.
    #[must_use]
    pub fn key_of(blob: &BlobId, target: &str, segment: u32) -> Key {
        let sk = format!("{}{segment:05}", Self::prefix(target));
        Key {
            pk: blob_partition(blob),
            sk,
        }
    }
}

impl Row for SegmentRow {
    fn key(&self) -> Key {
        Self::key_of(&self.blob, &self.target, self.segment)
    }
}
