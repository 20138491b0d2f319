//! A replica of every shape, with the items that belong to it.

use crate::stack::new_id;
use crate::{Item, due_shard};
use domain::content::{ContentId, PartDigest};
use domain::id::BlobId;
use domain::replica::{ReplicaCounters, STALLED_AFTER, State};
use domain::targets::registry::{Member, TargetStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::Table;
use store::rows::{BlobRow, PartDigestsRow, ReplicaCountersRow, ReplicaRow, SegmentRow};
use store::table::Key;

/// A state, and whether a multipart upload at the target is recorded.
pub(super) type Shape = (State, bool);

/// All that a replica can be.
pub(super) const SHAPES: [Shape; 6] = [
    (State::Pending, false),
    (State::Copying, false),
    (State::Copying, true),
    (State::Available, false),
    (State::Failed, false),
    (State::Failed, true),
];

/// The present moment. Far ahead: nothing that is written here is ever due for the stack's own sweep.
pub(super) fn now() -> Timestamp {
    "2200-01-01T00:00:00Z".parse().unwrap()
}

/// When the replicas were made.
pub(super) fn earlier() -> Timestamp {
    now() - SignedDuration::from_hours(1)
}

pub(super) fn due() -> i64 {
    (now() + STALLED_AFTER).as_second()
}

pub(super) fn state_of(replica: &ReplicaRow) -> Shape {
    (replica.state, replica.multipart_id.is_some())
}

/// One blob, and a target that nobody else has.
#[derive(Debug, Clone)]
pub(super) struct ReplicaFixture {
    pub(super) blob: BlobId,
    pub(super) target: String,
}

impl ReplicaFixture {
    /// How many bytes the blob has.
    pub(super) const SIZE: u64 = 7;

    pub(super) fn new() -> Self {
        let id: BlobId = new_id();
        Self::at(&format!("t-{}", &id.as_str()[..24]))
    }

    /// Another blob at a target.
    pub(super) fn at(target: &str) -> Self {
        Self {
            blob: new_id(),
            target: target.to_owned(),
        }
    }

    pub(super) fn key(&self) -> Key {
        ReplicaRow::key_of(&self.blob, &self.target)
    }

    pub(super) fn counters_key(&self) -> Key {
        ReplicaCountersRow::key_of(&self.target, &self.blob)
    }

    pub(super) fn member(&self) -> Member {
        Member {
            name: self.target.clone(),
            kind: "ceph".to_owned(),
            status: TargetStatus::Active,
            only_by_policy: false,
        }
    }

    pub(super) fn blob_row(&self) -> BlobRow {
        let digest = PartDigest::of(self.blob.as_str().as_bytes());
        let content = ContentId::of_parts(&[digest]).unwrap();
        let blob = json!({
            "id": self.blob, "content_id": content, "size": Self::SIZE, "references": 1, "reclaiming": false,
            "created_at": earlier(),
        });
        serde_json::from_value(blob).unwrap()
    }

    /// A replica of this shape, with a past.
    pub(super) fn replica(&self, (state, begun): Shape) -> ReplicaRow {
        let is_due = matches!(state, State::Pending | State::Copying);
        let done = match state {
            State::Available => Self::SIZE,
            _ => u64::from(begun) * 2,
        };
        ReplicaRow {
            blob: self.blob.clone(),
            target: self.target.clone(),
            kind: "ceph".to_owned(),
            size: Self::SIZE,
            state,
            bytes_done: done,
            segments_done: u32::from(begun),
            attempts: 3,
            dead_lettered: begun && state == State::Failed,
            last_error: (state != State::Available).then(|| "it was slow".to_owned()),
            restarts: 2,
            multipart_id: begun.then(|| "begun".to_owned()),
            key: (begun || state == State::Available).then(|| "key".to_owned()),
            checksum: (state == State::Available).then(|| "sum".to_owned()),
            since: earlier(),
            available_at: (state == State::Available).then(earlier),
            updated_at: earlier(),
            due_at: is_due.then(|| due() - 60),
        }
    }

    /// The replica's item, with its places in the index of what is due and of what waits.
    pub(super) fn item(&self, replica: &ReplicaRow) -> Item {
        let mut attributes: Value = serde_json::to_value(replica).unwrap();
        let what = match replica.state {
            State::Pending | State::Copying => Some("bytes"),
            State::Failed => Some("somebody"),
            State::Available => None,
        };
        if let Some(what) = what {
            let sum: u32 = self.blob.as_str().bytes().map(u32::from).sum();
            attributes["waiting_shard"] = json!(format!("{}#{what}#{}", self.target, sum % 4));
            attributes["waiting_since"] = json!(replica.since.as_millisecond());
        }
        if replica.due_at.is_some() {
            attributes["due_shard"] = json!(due_shard(&self.key()));
        }
        Item::new(&self.key(), attributes)
    }

    pub(super) fn counters_item(&self, counters: ReplicaCounters) -> Item {
        Item::new(&self.counters_key(), serde_json::to_value(counters).unwrap())
    }

    /// A segment that is at the target already.
    pub(super) fn segment_item(&self) -> Item {
        let key = SegmentRow::key_of(&self.blob, &self.target, 1);
        let attributes = json!({
            "blob": self.blob, "target": self.target, "segment": 1, "multipart_id": "begun", "receipts": ["r"],
        });
        Item::new(&key, attributes)
    }

    /// Removes all that is written about the blob and the target.
    pub(super) async fn remove(&self, table: &Table) -> Result<(), String> {
        let mut keys = Vec::new();
        for partition in [self.key().pk, self.counters_key().pk] {
            keys.extend(table.keys(&partition).await.map_err(|error| error.to_string())?);
        }
        table.delete_all(&keys).await.map_err(|error| error.to_string())
    }
}

pub(super) fn segment(read: &ReplicaRow) -> SegmentRow {
    SegmentRow {
        blob: read.blob.clone(),
        target: read.target.clone(),
        segment: 0,
        multipart_id: read
            .multipart_id
            .clone()
            .unwrap_or_else(|| "never begun".to_owned()),
        receipts: vec!["r".to_owned()],
    }
}

/// A page of the part digests with one digest, of which a blob of one part has the only one.
pub(super) fn part_digests_item(place: &ReplicaFixture) -> Item {
    let digest = PartDigest::of(place.blob.as_str().as_bytes());
    let key = PartDigestsRow::key_of(&place.blob, 0);
    Item::new(
        &key,
        json!({ "blob": place.blob, "page": 0, "digests": [digest] }),
    )
}
