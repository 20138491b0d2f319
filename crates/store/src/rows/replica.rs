//! Replicas and their segments.

use super::blob_partition;
use crate::config::TargetName;
use crate::table::{Key, Row};
use domain::id::BlobId;
use domain::replica;
use jiff::Timestamp;
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
    pub fn pending(blob: &BlobId, target: &TargetName, now: Timestamp) -> Self {
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
