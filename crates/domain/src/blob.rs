//! How long a blob lives.
//!
//! A blob's reference count is the number of files that refer to it. At zero it is condemned, and may be
//! revived during a grace period. After that it is reclaimed and cannot be revived: the same content gets a new blob.

use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};

/// How long a blob without references can still be revived.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// How long after reclaiming began the bytes are deleted: workers that copy the blob may have read it just
/// before. Longer than any of them lives (15 minutes).
pub const SETTLE: SignedDuration = SignedDuration::from_mins(20);

/// The state of a blob that its rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    /// How many files refer to it.
    pub references: u64,
    /// Its bytes are being deleted. There is no way back.
    pub reclaiming: bool,
    /// Its object is gone from the primary store.
    pub lost: bool,
    /// When the sweep looks at it again. Every delete of a file sets this to the end of a grace period.
    pub next_check_at: Option<Timestamp>,
}

impl Life {
    /// A blob that one file refers to, just made.
    pub const NEW: Self = Self {
        references: 1,
        reclaiming: false,
        lost: false,
        next_check_at: None,
    };

    /// A new file may refer to it.
    #[must_use]
    pub fn may_be_referenced(&self) -> bool {
        !self.reclaiming && !self.lost
    }
}

/// What can happen to a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobEvent {
    /// One more file refers to it. This revives a condemned one.
    Refer,
    /// One file less refers to it.
    Release,
    /// The sweep looks at it, because it is due.
    Examine,
    /// Its object is missing: the reconciler or a reader found out.
    Lose,
    /// Its object was found again.
    Find,
}

/// What has to be done besides storing the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Free its place in the index of contents, in the same write, if it still has it: the same content gets a new blob.
    FreeContent,
    /// Delete its replicas, its object and all its items, the blob's own item last.
    Delete,
}

/// Why an event does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nothing can refer to it any more.
    #[error("the blob is being reclaimed")]
    Reclaiming,
    /// Its bytes are not there.
    #[error("the blob's object is lost")]
    Lost,
    /// No file refers to it.
    #[error("no file refers to the blob")]
    NotReferenced,
    /// The grace period is not over, or workers may still be using it.
    #[error("the blob is next checked at {0}")]
    NotYet(Timestamp),
    /// It is in that state already.
    #[error("nothing changes")]
    Unchanged,
}

/// The state of a blob after `event` at `now`.
///
/// # Errors
/// [`Refusal`] when the event does not apply; nothing changes then.
pub fn step(life: &Life, event: BlobEvent, now: Timestamp) -> Result<(Life, &'static [Effect]), Refusal> {
    let in_a_while = |wait: SignedDuration| Some(saturating_add(now, wait));
    match event {
        BlobEvent::Refer | BlobEvent::Lose | BlobEvent::Find if life.reclaiming => Err(Refusal::Reclaiming),
        BlobEvent::Refer if life.lost => Err(Refusal::Lost),
        BlobEvent::Refer => {
            let references = life.references + 1;
            Ok((Life { references, ..*life }, &[]))
        }
        BlobEvent::Release => {
            let references = life.references.checked_sub(1).ok_or(Refusal::NotReferenced)?;
            let next_check_at = in_a_while(GRACE);
            Ok((
                Life {
                    references,
                    next_check_at,
                    ..*life
                },
                &[],
            ))
        }
        BlobEvent::Examine => examine(life, now, in_a_while(SETTLE)),
        BlobEvent::Lose if life.lost => Err(Refusal::Unchanged),
        BlobEvent::Lose => Ok((Life { lost: true, ..*life }, &[Effect::FreeContent])),
        BlobEvent::Find if !life.lost => Err(Refusal::Unchanged),
        // Its place in the index stays free: another blob may have it by now.
        BlobEvent::Find => Ok((Life { lost: false, ..*life }, &[])),
    }
}

fn examine(
    life: &Life,
    now: Timestamp,
    settled: Option<Timestamp>,
) -> Result<(Life, &'static [Effect]), Refusal> {
    let Some(next_check_at) = life.next_check_at else {
        return Err(Refusal::Unchanged);
    };
    if life.references > 0 && !life.reclaiming {
        // It need not be checked until the next file is deleted.
        let next_check_at = None;
        return Ok((
            Life {
                next_check_at,
                ..*life
            },
            &[],
        ));
    }
    if next_check_at > now {
        return Err(Refusal::NotYet(next_check_at));
    }
    if life.reclaiming {
        return Ok((*life, &[Effect::Delete]));
    }
    let next = Life {
        reclaiming: true,
        next_check_at: settled,
        ..*life
    };
    Ok((next, &[Effect::FreeContent]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn life(references: u64, reclaiming: bool, next_check_at: i64) -> Life {
        Life {
            references,
            reclaiming,
            next_check_at: Some(at(next_check_at)),
            ..Life::NEW
        }
    }

    #[test]
    fn a_blob_is_reclaimed_only_after_the_grace_period_and_without_references() {
        let examine = |life: Life| step(&life, BlobEvent::Examine, at(100));
        let (kept, effects) = examine(life(1, false, 50)).unwrap();
        assert_eq!((kept, effects), (Life::NEW, &[][..]));
        assert_eq!(examine(life(0, false, 101)), Err(Refusal::NotYet(at(101))));
        let (marked, effects) = examine(life(0, false, 100)).unwrap();
        assert_eq!(effects, [Effect::FreeContent]);
        assert_eq!(marked, life(0, true, 100 + SETTLE.as_secs()));
        assert_eq!(examine(life(0, true, 101)), Err(Refusal::NotYet(at(101))));
        assert_eq!(examine(life(0, true, 100)).unwrap().1, [Effect::Delete]);
    }

    #[test]
    fn a_condemned_blob_is_revived_and_one_that_is_reclaimed_or_lost_is_not() {
        let (revived, _) = step(&life(0, false, 50), BlobEvent::Refer, at(0)).unwrap();
        assert_eq!(revived.references, 1);
        assert_eq!(
            step(&life(0, true, 50), BlobEvent::Refer, at(0)),
            Err(Refusal::Reclaiming)
        );
        let (lost, effects) = step(&Life::NEW, BlobEvent::Lose, at(0)).unwrap();
        assert_eq!(effects, [Effect::FreeContent]);
        assert_eq!(step(&lost, BlobEvent::Refer, at(0)), Err(Refusal::Lost));
        let (found, _) = step(&lost, BlobEvent::Find, at(0)).unwrap();
        assert!(found.may_be_referenced());
    }

    proptest! {
        // Whatever happens: bytes are deleted only when nothing has referred to them for a grace period, and nothing
        // can refer to them from the mark on.
        #[test]
        fn bytes_with_references_are_never_deleted(
            events in prop::collection::vec(
                (prop::sample::select(vec![BlobEvent::Refer, BlobEvent::Release, BlobEvent::Examine, BlobEvent::Lose, BlobEvent::Find]), 0i64..50_000),
                0..80,
            ),
        ) {
            let (mut life, mut now, mut released_at) = (Life::NEW, 0, 0);
            for (event, wait) in events {
                now += wait;
                let was = life;
                let Ok((next, effects)) = step(&life, event, at(now)) else { continue };
                life = next;
                match event {
                    BlobEvent::Refer => prop_assert!(!was.reclaiming),
                    BlobEvent::Release => released_at = now,
                    _ => prop_assert_eq!(was.references, life.references),
                }
                if effects.contains(&Effect::Delete) {
                    prop_assert_eq!(life.references, 0);
                    prop_assert!(now >= released_at + GRACE.as_secs() + SETTLE.as_secs());
                    break;
                }
            }
        }
    }
}
