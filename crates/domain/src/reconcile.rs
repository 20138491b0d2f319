//! What belongs to whom in the bucket and in the table, and what the reconciler does with the rest.
//!
//! Everything in the primary store is owned by an upload that has not ended, or by a blob. A claim, written before an
//! upload can send its first part, leads from an object's key to its upload. What has no owner and is not young any more
//! is removed; a blob whose object is not what it was is lost until the object is back.
//!
//! [`pass`] is how it gets through all there is. What it does not ask the stores about one by one ([`sample`]) it knows from the
//! listing of the bucket ([`sketch`]).

pub mod pass;
pub mod sample;
pub mod sketch;

use crate::blob;
use crate::id::BlobId;
use crate::moment::later;
use crate::targets::roster;
use jiff::{SignedDuration, Timestamp};

/// The blob or upload that a key in the bucket belongs to. `None`: not a key of Longshore's, and never touched. Stricter
/// than what an id may be: the ids that Longshore makes are 32 hexadecimal digits.
#[must_use]
pub fn blob_of_key(key: &str) -> Option<BlobId> {
    let id = key.strip_prefix("blobs/")?;
    let ours = id.len() == 32
        && id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if ours { id.parse().ok() } else { None }
}

/// What a claim leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claimant {
    /// There is no claim, or its upload is gone.
    Nobody,
    /// An upload that has not ended. It may own an object, too: a finalize that found the name taken released its lease.
    Unfinished {
        /// Its multipart upload, if it has one.
        multipart_id: Option<String>,
    },
    /// An upload that ended.
    Ended {
        /// When it did, if that is known.
        at: Option<Timestamp>,
    },
}

/// Whose an object is. An upload ends in the same write in which its object becomes a blob, so `is_blob` must be read
/// after the claimant: an upload that has ended by then has become a blob before, or never will.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Who may still make something of it.
    pub claimant: Claimant,
    /// It has become a blob.
    pub is_blob: bool,
}

/// What is young is skipped: a function may be about to store its owner.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// The present time.
    pub now: Timestamp,
    /// From which age on it is not young. Longer than any function runs.
    pub min: SignedDuration,
}

impl Age {
    /// Whether what came into being, or ended, at `since` is not young any more.
    #[must_use]
    pub fn is_old(&self, since: Timestamp) -> bool {
        later(since, self.min) <= self.now
    }
}

/// Whether an object that was made at `made_at` has no owner. S3 dates an object to the beginning of its multipart
/// upload, so a finished one may look old at once: what protects it is its owner. An owner that ended just now counts, too:
/// reads of two items may see one transaction at different times, and the blob may become visible shortly after.
#[must_use]
pub fn object_is_orphaned(standing: &Standing, made_at: Timestamp, age: &Age) -> bool {
    age.is_old(made_at) && claim_is_over(standing, age)
}

/// Whether a multipart upload that began at `begun_at` has no owner.
#[must_use]
pub fn multipart_is_orphaned(claimant: &Claimant, id: &str, begun_at: Timestamp, age: &Age) -> bool {
    let owned = matches!(claimant, Claimant::Unfinished { multipart_id: Some(own) } if own == id);
    age.is_old(begun_at) && !owned
}

/// Whether a claim, with the other items about bytes that never became a blob, is obsolete.
#[must_use]
pub fn claim_is_over(standing: &Standing, age: &Age) -> bool {
    let over = match standing.claimant {
        // Uploads are forgotten a day after their end.
        Claimant::Nobody => true,
        Claimant::Unfinished { .. } => false,
        Claimant::Ended { at } => at.is_none_or(|at| age.is_old(at)),
    };
    over && !standing.is_blob
}

/// What is at a blob's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// An object.
    Object {
        /// Its length in bytes.
        size: u64,
        /// How its checksum compares with the blob's content id.
        checksum: Checksum,
    },
}

impl Found {
    /// Whether this is the object of `size` bytes that should be there, beyond doubt.
    #[must_use]
    pub fn is_certain(self, size: u64) -> bool {
        let checksum = Checksum::Same;
        self == Self::Object { size, checksum }
    }

    /// Whether this certainly is not the object of `size` bytes that should be there.
    #[must_use]
    pub fn is_another(self, size: u64) -> bool {
        match self {
            Self::Nothing => true,
            Self::Object {
                size: stored,
                checksum,
            } => stored != size || checksum == Checksum::Other,
        }
    }
}

/// How the checksum that the store returns compares with a content id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// It is the same.
    Same,
    /// It is another.
    Other,
    /// The store returns none: the object was written without one.
    Unknown,
}

/// The event for a blob of `size` bytes at whose key this was found, if there is one. Lost is what is certainly not
/// the object that was made there; found again is only what certainly is.
#[must_use]
pub fn examine(life: &blob::Life, size: u64, found: Found) -> Option<blob::Event> {
    if life.reclaiming {
        return None;
    }
    match life.lost {
        false if found.is_another(size) => Some(blob::Event::Lose),
        true if found.is_certain(size) => Some(blob::Event::Find),
        _ => None,
    }
}

/// What the reconciler does with a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaDuty {
    /// Nothing.
    Nothing,
    /// Check that the target still has it.
    Look,
    /// Remove it: its object, where there are credentials for the target, and its items.
    Remove,
}

/// How long after the roster changed functions may still use the old one.
pub const ROSTER_KNOWN: SignedDuration = SignedDuration::from_mins(2);

/// What to do with a replica at a target of this standing (`None`: an unknown target) since `standing_since`. One that
/// became available just now is skipped: the worker that copied it may still be cleaning up. So is one at a target that is
/// draining only since then: workers may still be copying it.
#[must_use]
pub fn replica_duty(
    standing: Option<roster::Standing>,
    standing_since: Timestamp,
    available_at: Option<Timestamp>,
    now: Timestamp,
) -> ReplicaDuty {
    let settled = |since: Timestamp| later(since, blob::SETTLE) <= now;
    let (settled, duty) = if standing == Some(roster::Standing::Active) {
        (available_at.is_some_and(settled), ReplicaDuty::Look)
    } else {
        (settled(standing_since), ReplicaDuty::Remove)
    };
    if settled { duty } else { ReplicaDuty::Nothing }
}

/// The times from which on everything has to be checked again because the roster changed at `changed_at`: targets that are
/// new lack replicas, those that are draining have some.
#[must_use]
pub fn after_roster_change(changed_at: Timestamp) -> [Timestamp; 2] {
    [ROSTER_KNOWN, blob::SETTLE].map(|wait| later(changed_at, wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::{Event, Life};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// It is second 1000, and what is younger than 100 seconds is skipped.
    const AGE: fn() -> Age = || Age {
        now: at(1000),
        min: SignedDuration::from_secs(100),
    };

    fn unfinished(multipart_id: Option<&str>) -> Claimant {
        Claimant::Unfinished {
            multipart_id: multipart_id.map(str::to_owned),
        }
    }

    fn standing(claimant: Claimant, is_blob: bool) -> Standing {
        Standing { claimant, is_blob }
    }

    #[test]
    fn only_keys_as_longshore_makes_them_are_ours() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(blob_of_key(&format!("blobs/{id}")).unwrap().as_str(), id);
        for foreign in [
            id.to_owned(),
            "blobs/".to_owned(),
            "blobs/readme".to_owned(),
            format!("blobs/{id}0"),
            format!("blobs/{}", &id[1..]),
            format!("blobs/{}", id.to_uppercase()),
            format!("blobs/{id}/"),
            format!("blobs//{id}"),
            format!("/blobs/{id}"),
            format!("backup/blobs/{id}"),
        ] {
            assert_eq!(blob_of_key(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn an_object_is_owned_by_a_blob_or_by_an_upload_that_has_not_ended() {
        let ended = Claimant::Ended { at: Some(at(0)) };
        for (claimant, is_blob, orphaned) in [
            (Claimant::Nobody, false, true),
            (ended.clone(), false, true),
            // Its blob may become visible shortly after its end.
            (Claimant::Ended { at: Some(at(901)) }, false, false),
            // Whatever multipart upload it has: a finalize that released its lease leaves an object.
            (unfinished(None), false, false),
            (unfinished(Some("m")), false, false),
            (Claimant::Nobody, true, false),
            (ended, true, false),
        ] {
            let standing = standing(claimant, is_blob);
            assert_eq!(
                object_is_orphaned(&standing, at(900), &AGE()),
                orphaned,
                "{standing:?}"
            );
            assert!(
                !object_is_orphaned(&standing, at(901), &AGE()),
                "too young: {standing:?}"
            );
        }
    }

    #[test]
    fn a_multipart_upload_is_owned_by_the_upload_that_has_noted_it() {
        let ended = Claimant::Ended { at: Some(at(0)) };
        for (claimant, orphaned) in [
            (unfinished(Some("m")), false),
            (unfinished(Some("other")), true),
            (unfinished(None), true),
            (ended, true),
            (Claimant::Nobody, true),
        ] {
            assert_eq!(
                multipart_is_orphaned(&claimant, "m", at(900), &AGE()),
                orphaned,
                "{claimant:?}"
            );
            assert!(
                !multipart_is_orphaned(&claimant, "m", at(901), &AGE()),
                "too young: {claimant:?}"
            );
        }
    }

    #[test]
    fn a_claim_is_over_when_nothing_can_come_of_its_upload_any_more() {
        let ended = |at| Claimant::Ended { at };
        for (claimant, over) in [
            (Claimant::Nobody, true),
            (unfinished(Some("m")), false),
            (ended(Some(at(900))), true),
            (ended(Some(at(901))), false),
            (ended(None), true),
        ] {
            assert_eq!(
                claim_is_over(&standing(claimant.clone(), false), &AGE()),
                over,
                "{claimant:?}"
            );
            assert!(
                !claim_is_over(&standing(claimant, true), &AGE()),
                "it is a blob's"
            );
        }
    }

    #[test]
    fn replicas_are_looked_at_and_removed_only_when_nobody_works_on_them_any_more() {
        use roster::Standing::{Active, Draining, Retired};
        let settle = blob::SETTLE.as_secs();
        let duty = |standing, since, available| replica_duty(standing, at(since), available, at(10_000));
        let (long_ago, just_now) = (10_000 - settle, 10_001 - settle);
        for (standing, since, available_at, expected) in [
            (Some(Active), 0, Some(long_ago), ReplicaDuty::Look),
            (Some(Active), 0, Some(just_now), ReplicaDuty::Nothing),
            (Some(Active), 0, None, ReplicaDuty::Nothing),
            (Some(Draining), long_ago, Some(just_now), ReplicaDuty::Remove),
            (Some(Draining), just_now, Some(0), ReplicaDuty::Nothing),
            (Some(Retired), long_ago, None, ReplicaDuty::Remove),
            (None, long_ago, None, ReplicaDuty::Remove),
            (None, just_now, None, ReplicaDuty::Nothing),
        ] {
            let found = duty(standing, since, available_at.map(at));
            assert_eq!(found, expected, "{standing:?} {since} {available_at:?}");
        }
    }

    #[test]
    fn a_blob_is_lost_when_its_object_is_another_and_found_when_it_is_the_same() {
        let object = |size, checksum| Found::Object { size, checksum };
        for (found, from_sound, from_lost) in [
            (Found::Nothing, Some(Event::Lose), None),
            (object(9, Checksum::Same), Some(Event::Lose), None),
            (object(9, Checksum::Unknown), Some(Event::Lose), None),
            (object(10, Checksum::Other), Some(Event::Lose), None),
            (object(10, Checksum::Unknown), None, None),
            (object(10, Checksum::Same), None, Some(Event::Find)),
        ] {
            let lost = Life {
                lost: true,
                ..Life::NEW
            };
            assert_eq!(examine(&Life::NEW, 10, found), from_sound, "{found:?}");
            assert_eq!(examine(&lost, 10, found), from_lost, "{found:?}");
            for life in [Life::NEW, lost] {
                let reclaiming = Life {
                    reclaiming: true,
                    ..life
                };
                assert_eq!(examine(&reclaiming, 10, found), None, "{found:?}");
            }
        }
    }
}
