//! How long a blob lives.
//!
//! A blob's reference count is the number of files that refer to it. At zero it is condemned, and may be
//! revived during a grace period. Then reclaiming begins, after which it never is: the same content starts anew.

use jiff::{SignedDuration, Timestamp};

/// How long a blob without references can still be revived.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// How long after reclaiming began the bytes are deleted: workers that copy the blob may have looked at it just
/// before. Longer than any of them lives (15 minutes).
pub const SETTLE: SignedDuration = SignedDuration::from_mins(20);

/// What decides about a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// How many files refer to it.
    pub references: u64,
    /// Its bytes are being deleted. There is no way back.
    pub reclaiming: bool,
    /// When the sweep looks at it again. Every delete of a file sets this to the end of a grace period.
    pub examine_at: Option<Timestamp>,
}

impl Life {
    /// A new file may refer to it.
    #[must_use]
    pub fn may_be_referenced(&self) -> bool {
        !self.reclaiming
    }

    /// What the sweep has to do at `now`.
    #[must_use]
    pub fn examine(&self, now: Timestamp) -> Verdict {
        match self {
            Self {
                references: 1..,
                reclaiming: false,
                ..
            } => Verdict::Keep,
            Self {
                examine_at: Some(at), ..
            } if *at > now => Verdict::Wait,
            Self {
                reclaiming: false, ..
            } => Verdict::Reclaim,
            Self { reclaiming: true, .. } => Verdict::Delete,
        }
    }
}

/// What the sweep does with a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Files refer to it: it need not be looked at again.
    Keep,
    /// The grace period is not over, or workers may still be at it.
    Wait,
    /// Mark it as reclaiming, and look again after [`SETTLE`].
    Reclaim,
    /// Delete its bytes, its replicas and what is written about it.
    Delete,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(references: u64, reclaiming: bool, examine_at: i64) -> Life {
        Life {
            references,
            reclaiming,
            examine_at: Timestamp::from_second(examine_at).ok(),
        }
    }

    #[test]
    fn a_blob_is_reclaimed_only_after_the_grace_period_and_without_references() {
        let now = Timestamp::from_second(100).unwrap();
        assert_eq!(life(1, false, 50).examine(now), Verdict::Keep);
        assert_eq!(life(0, false, 101).examine(now), Verdict::Wait);
        assert_eq!(life(0, false, 100).examine(now), Verdict::Reclaim);
        assert_eq!(life(0, true, 101).examine(now), Verdict::Wait);
        assert_eq!(life(0, true, 100).examine(now), Verdict::Delete);
        assert!(life(0, false, 50).may_be_referenced());
        assert!(!life(0, true, 50).may_be_referenced());
    }
}
