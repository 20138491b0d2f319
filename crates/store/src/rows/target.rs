//! Targets: who they are, how they do, and how many replicas they have.

use crate::table::{Key, Row};
use domain::circuit::Circuit;
use domain::id::BlobId;
use domain::replica::ReplicaCounters;
use domain::targets::registry::TargetRegistry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many rows the counters of one target have: every write about a replica changes one of them, and one
/// row takes about a thousand writes a second.
const COUNTER_SHARDS: u32 = 16;
/// How many partitions of the index the replicas have that wait at one target.
const WAITING_SHARDS: u32 = 4;

/// The partition of what is written about one target, but for its counters.
#[must_use]
pub fn target_partition(target: &str) -> String {
    format!("TARGET#{target}")
}

/// One of `shards`, always the same for a blob.
fn shard_of(blob: &BlobId, shards: u32) -> u32 {
    let sum: u32 = blob.as_str().bytes().map(u32::from).sum();
    sum % shards
}

/// What a replica waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// For its bytes: it is pending, or being copied.
    Bytes,
    /// For somebody to have it tried again: it failed.
    Somebody,
}

impl WaitingFor {
    /// The partitions of the index with the replicas of a target that wait for this.
    pub fn shards(self, target: &str) -> impl Iterator<Item = String> {
        (0..WAITING_SHARDS).map(move |shard| self.shard(target, shard))
    }

    fn shard(self, target: &str, shard: u32) -> String {
        let what = match self {
            Self::Bytes => "bytes",
            Self::Somebody => "somebody",
        };
        format!("{target}#{what}#{shard}")
    }
}

/// The partition of the index that a waiting replica is in.
#[must_use]
pub fn waiting_shard(target: &str, what: WaitingFor, blob: &BlobId) -> String {
    what.shard(target, shard_of(blob, WAITING_SHARDS))
}

/// What all functions may know of the targets, as last read from their secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TargetRegistryRow {
    /// The targets by name, and the policies.
    #[serde(flatten)]
    pub target_registry: TargetRegistry,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Raised by each change.
    pub version: u64,
}

impl TargetRegistryRow {
    /// Where it is.
    #[must_use]
    pub fn key_of() -> Key {
        Key {
            pk: "TARGETS".to_owned(),
            sk: "TARGETS".to_owned(),
        }
    }
}

impl Row for TargetRegistryRow {
    fn key(&self) -> Key {
        Self::key_of()
    }
}

/// A part of how many replicas a target has in which state. All parts together are the truth.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplicaCountersRow {
    /// The numbers.
    #[serde(flatten)]
    pub counters: ReplicaCounters,
    /// Partition key; such rows come into being by being added to.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl ReplicaCountersRow {
    /// The sort key of every part.
    pub const SK: &str = "COUNTERS";

    /// Where the part is in which a blob's replica is counted.
    #[must_use]
    pub fn key_of(target: &str, blob: &BlobId) -> Key {
        Self::part(target, shard_of(blob, COUNTER_SHARDS))
    }

    /// Where all parts are. Each has a partition of its own: DynamoDB splits one that is busy only after a while.
    pub fn keys_of(target: &str) -> impl Iterator<Item = Key> {
        (0..COUNTER_SHARDS).map(move |number| Self::part(target, number))
    }

    fn part(target: &str, number: u32) -> Key {
        Key {
            pk: format!("{}#{number:02}", target_partition(target)),
            sk: Self::SK.to_owned(),
        }
    }
}

impl Row for ReplicaCountersRow {
    fn key(&self) -> Key {
        Key {
            pk: self.pk.clone(),
            sk: self.sk.clone(),
        }
    }
}

/// Whether a target is left alone for a while.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CircuitRow {
    /// The target.
    pub target: String,
    /// How it has been doing.
    #[serde(flatten)]
    pub circuit: Circuit,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Raised by each change.
    pub version: u64,
}

impl CircuitRow {
    /// Where it is.
    #[must_use]
    pub fn key_of(target: &str) -> Key {
        Key {
            pk: target_partition(target),
            sk: "CIRCUIT".to_owned(),
        }
    }
}

impl Row for CircuitRow {
    fn key(&self) -> Key {
        Self::key_of(&self.target)
    }
}

/// One of the places that a target has for workers, if their number is limited.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotRow {
    /// The target.
    pub target: String,
    /// Which place, from 0.
    pub slot: u16,
    /// The worker that has it; nobody once it was given back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holder: Option<String>,
    /// Until when, unless it says again that it is alive; in milliseconds since 1970.
    pub until: i64,
}

impl SlotRow {
    /// What the sort keys of all places begin with.
    pub const PREFIX: &str = "SLOT#";

    /// Where a place is.
    #[must_use]
    pub fn key_of(target: &str, slot: u16) -> Key {
        Key {
            pk: target_partition(target),
            sk: format!("{}{slot:03}", Self::PREFIX),
        }
    }
}

impl Row for SlotRow {
    fn key(&self) -> Key {
        Self::key_of(&self.target, self.slot)
    }

    fn ttl(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.until).ok()
    }
}

/// How many bytes had been copied to a target at some moments of the last minutes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SamplesRow {
    /// The target.
    pub target: String,
    /// Moments and numbers, the oldest first.
    pub samples: Vec<(Timestamp, i64)>,
}

impl SamplesRow {
    /// How many are kept: a minute lies between two.
    pub const KEPT: usize = 6;

    /// Where they are.
    #[must_use]
    pub fn key_of(target: &str) -> Key {
        Key {
            pk: target_partition(target),
            sk: "SAMPLES".to_owned(),
        }
    }
}

impl Row for SamplesRow {
    fn key(&self) -> Key {
        Self::key_of(&self.target)
    }
}
