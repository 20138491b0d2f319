//! How a blob travels to a target.
//!
//! A blob of one part is put whole. A larger one becomes a multipart upload at the target with the blob's own
//! parts, copied a segment (a run of parts) at a time by any number of workers. What is written down about a
//! replica is the truth; messages are hints that may be lost, repeated, late or out of order.

use crate::content::PartPlan;
use crate::id::BlobId;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// About how many bytes a segment has. At 17 MB/s, a slow target, that is four seconds: far from the limit of
/// 15 minutes, and little to do again after a crash. Parts larger than this are segments by themselves.
pub const SEGMENT_SIZE: u64 = 64 * 1024 * 1024;

/// After this long without progress the sweep takes a replica's message for lost and sends it again. Longer
/// than the queue's visibility time-out, within which a killed worker's message comes back by itself.
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_mins(20);

/// The states of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// One part: put the whole object, verify, mark available.
    PutWhole,
    /// Begin a multipart upload at the target, then look again.
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
mod tests {
    use super::*;
    use crate::content::MAX_FILE_SIZE;
    use proptest::prelude::*;

    #[test]
    fn what_comes_next() {
        let small = PartPlan::for_size(5).unwrap();
        let large = PartPlan::for_size(130 * 1024 * 1024).unwrap(); // 17 parts, 3 segments
        assert_eq!(next(State::Pending, &small, false, &[]), Next::PutWhole);
        assert_eq!(next(State::Failed, &small, false, &[]), Next::PutWhole);
        assert_eq!(next(State::Available, &small, false, &[]), Next::Nothing);
        assert_eq!(next(State::Pending, &large, false, &[]), Next::BeginMultipart);
        assert_eq!(next(State::Copying, &large, true, &[1]), Next::Copy(vec![0, 2]));
        assert_eq!(next(State::Copying, &large, true, &[2, 0, 1]), Next::Finish);
        assert_eq!(next(State::Available, &large, true, &[0, 1, 2]), Next::Nothing);
    }

    #[test]
    fn back_off_grows_and_is_bounded() {
        assert_eq!(back_off(1, 0.0), SignedDuration::from_secs(2));
        assert_eq!(back_off(1, 1.0), SignedDuration::from_secs(1));
        assert_eq!(back_off(100, 0.0), SignedDuration::from_secs(300));
        assert_eq!(back_off(0, 0.0), SignedDuration::from_secs(2));
    }

    #[test]
    fn messages_have_a_stable_form() {
        let message = Message::Copy {
            blob: "b1".parse().unwrap(),
            target: "ceph".into(),
            segment: 3,
        };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(text, r#"{"step":"copy","blob":"b1","target":"ceph","segment":3}"#);
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
    }

    proptest! {
        #[test]
        fn segments_tile_the_parts(size in 0..=MAX_FILE_SIZE) {
            let parts = PartPlan::for_size(size).unwrap();
            let segments = SegmentPlan::of(&parts);
            let mut expected = 1;
            for segment in 0..segments.segment_count() {
                let range = segments.parts(segment).unwrap();
                prop_assert_eq!(*range.start(), expected);
                prop_assert!(range.end() >= range.start());
                expected = range.end() + 1;
            }
            prop_assert_eq!(expected, parts.part_count() + 1);
            prop_assert_eq!(segments.parts(segments.segment_count()), None);
        }
    }
}
