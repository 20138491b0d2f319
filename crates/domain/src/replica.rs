//! How a blob is copied to a target.
//!
//! A blob of one part is copied by one PUT. A larger one becomes a multipart upload at the target with the blob's own
//! parts, copied a segment (a run of parts) at a time by any number of workers. The table's items about a
//! replica are the truth; messages are hints that may be lost, repeated, late or out of order.

use crate::content::PartPlan;
use crate::id::BlobId;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// About how many bytes a segment has. At 17 MB/s, a slow target, that is four seconds: far from the limit of
/// 15 minutes, and little to do again after a crash. Parts larger than this are segments by themselves.
pub const SEGMENT_SIZE: u64 = 64 * 1024 * 1024;

/// After this long without progress the sweep regards a replica's message as lost and sends it again. Longer
/// than the queue's visibility time-out, after which a killed worker's message is delivered again.
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_mins(20);

/// The states of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplicaState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was copied yet.
    Pending,
    /// A multipart upload at the target is under way.
    Copying,
    /// Complete and verified at the target.
    Available,
    /// Given up after many attempts; the reason is kept, the message is in the dead-letter queue.
    Failed,
}

impl State {
    /// It waits for its bytes, or for the rest of them.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Pending | Self::Copying)
    }
}

/// What can happen to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplicaEvent {
    /// A multipart upload at the target was begun.
    Begin,
    /// A segment arrived.
    Record,
    /// The whole arrived, and was verified.
    Arrive,
    /// It is given up.
    GiveUp,
    /// An operator has it tried again.
    Redrive,
    /// The target does not have it any more, or has something else.
    Lose,
}

/// The state after `event`; `None` when the event does not apply. `multipart_begun`: a multipart upload at
/// the target is recorded.
#[must_use]
pub fn step(state: State, event: ReplicaEvent, multipart_begun: bool) -> Option<State> {
    match (event, state) {
        (ReplicaEvent::Begin, State::Pending | State::Copying) if !multipart_begun => Some(State::Copying),
        // What other workers still do for one that was given up is kept for when it is tried again.
        (ReplicaEvent::Record, State::Copying | State::Failed) if multipart_begun => Some(state),
        (ReplicaEvent::Arrive, State::Pending | State::Copying | State::Failed) => Some(State::Available),
        (ReplicaEvent::GiveUp, State::Pending | State::Copying) => Some(State::Failed),
        (ReplicaEvent::Redrive, State::Failed) if multipart_begun => Some(State::Copying),
        (ReplicaEvent::Redrive, State::Failed) | (ReplicaEvent::Lose, State::Available) => {
            Some(State::Pending)
        }
        _ => None,
    }
}

/// How many replicas a target has, and of how many bytes, or the change of that. Every write that changes a
/// replica's state changes this, too, in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaCounters {
    /// Waiting, or under way.
    pub pending: i64,
    /// Their bytes.
    pub pending_bytes: i64,
    /// Given up.
    pub failed: i64,
    /// Their bytes.
    pub failed_bytes: i64,
    /// Complete and verified.
    pub available: i64,
    /// Their bytes.
    pub available_bytes: i64,
    /// All bytes that were ever copied there.
    pub copied_bytes: i64,
}

impl ReplicaCounters {
    /// What changes when a replica of `size` bytes goes from one state to another. `None`: it does not exist.
    #[must_use]
    pub fn moved(from: Option<State>, to: Option<State>, size: u64) -> Self {
        let mut counters = Self::default();
        counters.count(from, -1, size);
        counters.count(to, 1, size);
        counters
    }

    fn count(&mut self, state: Option<State>, one: i64, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let (number, bytes) = match state {
            None => return,
            Some(State::Pending | State::Copying) => (&mut self.pending, &mut self.pending_bytes),
            Some(State::Failed) => (&mut self.failed, &mut self.failed_bytes),
            Some(State::Available) => (&mut self.available, &mut self.available_bytes),
        };
        *number += one;
        *bytes += one * size;
    }

    /// With so many more bytes copied.
    #[must_use]
    pub fn copied(mut self, bytes: u64) -> Self {
        self.copied_bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// The numbers by name.
    #[must_use]
    pub fn numbers(&self) -> [(&'static str, i64); 7] {
        [
            ("pending", self.pending),
            ("pending_bytes", self.pending_bytes),
            ("failed", self.failed),
            ("failed_bytes", self.failed_bytes),
            ("available", self.available),
            ("available_bytes", self.available_bytes),
            ("copied_bytes", self.copied_bytes),
        ]
    }

    /// Whether there is no replica at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (self.pending, self.failed, self.available) == (0, 0, 0)
    }
}

impl std::ops::AddAssign for ReplicaCounters {
    fn add_assign(&mut self, other: Self) {
        self.pending += other.pending;
        self.pending_bytes += other.pending_bytes;
        self.failed += other.failed;
        self.failed_bytes += other.failed_bytes;
        self.available += other.available;
        self.available_bytes += other.available_bytes;
        self.copied_bytes += other.copied_bytes;
    }
}

/// A message of the replication queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// Begin, or go on from whatever has been recorded.
    Start {
        /// What to copy.
        blob: BlobId,
        /// Where to.
        target: String,
    },
    /// Copy one segment.
    Copy {
        /// What to copy.
        blob: BlobId,
        /// Where to.
        target: String,
        /// Which segment, from 0.
        segment: u32,
    },
    /// All segments are recorded: complete and verify.
    Finish {
        /// What to copy.
        blob: BlobId,
        /// Where to.
        target: String,
    },
}

impl Message {
    /// The blob and the name of the target.
    #[must_use]
    pub fn subject(&self) -> (&BlobId, &str) {
        match self {
            Self::Start { blob, target }
            | Self::Copy { blob, target, .. }
            | Self::Finish { blob, target } => (blob, target),
        }
    }
}

/// How a blob's parts are grouped into segments, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentPlan {
    part_count: u32,
    parts_per_segment: u32,
}

impl SegmentPlan {
    /// The segments of a blob with this part plan.
    #[must_use]
    pub fn of(parts: &PartPlan) -> Self {
        let parts_per_segment = u32::try_from(SEGMENT_SIZE / parts.part_size())
            .unwrap_or(u32::MAX)
            .max(1);
        Self {
            part_count: parts.part_count(),
            parts_per_segment,
        }
    }

    /// How many segments there are, at least one.
    #[must_use]
    pub fn segment_count(&self) -> u32 {
        self.part_count.div_ceil(self.parts_per_segment)
    }

    /// The numbers (from 1) of the parts of `segment`; `None` when there is no such segment.
    #[must_use]
    pub fn parts(&self, segment: u32) -> Option<RangeInclusive<u32>> {
        if segment >= self.segment_count() {
            return None;
        }
        let first = segment * self.parts_per_segment + 1;
        Some(first..=(first + self.parts_per_segment - 1).min(self.part_count))
    }
}

/// What a worker does next for a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is available.
    Nothing,
    /// One part: PUT the whole object, verify, mark available.
    PutWhole,
    /// Begin a multipart upload at the target, then ask again.
    BeginMultipart,
    /// Copy these segments.
    Copy(Vec<u32>),
    /// Every segment is recorded: complete, verify, mark available.
    Finish,
}

/// What to do next for a replica in `state`, given whether a multipart upload at the target is recorded and
/// which segments are.
#[must_use]
pub fn next(state: State, parts: &PartPlan, multipart_begun: bool, recorded: &[u32]) -> Next {
    if state == State::Available {
        return Next::Nothing;
    }
    if parts.part_count() == 1 {
        return Next::PutWhole;
    }
    if !multipart_begun {
        return Next::BeginMultipart;
    }
    let recorded: HashSet<u32> = recorded.iter().copied().collect();
    let missing: Vec<u32> = (0..SegmentPlan::of(parts).segment_count())
        .filter(|segment| !recorded.contains(segment))
        .collect();
    if missing.is_empty() {
        Next::Finish
    } else {
        Next::Copy(missing)
    }
}

/// How long to wait before attempt `attempt` + 1: doubling from two seconds to five minutes, of which `jitter`
/// (0 to 1) takes away up to half, so that failed workers do not come back all at once.
#[must_use]
pub fn back_off(attempt: u32, jitter: f64) -> SignedDuration {
    let full = SignedDuration::from_secs(2i64.pow(attempt.clamp(1, 9)).min(300));
    full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests;
