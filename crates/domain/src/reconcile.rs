//! What belongs to whom in the bucket and in the table, and what the reconciler does with the rest.
//!
//! Everything in the primary store is owned by an upload that has not ended, or by a blob. An upload owner,
//! written before an upload can send its first part, leads from an object's key to its upload. What has no
//! owner and is not young any more is removed; a blob whose object is not what it was is lost until the
//! object is back.
//!
//! [`pass`] is how it gets through all there is. What it does not ask the stores about one by one ([`sample`]) it knows from the
//! listing of the bucket ([`sketch`]).

pub mod pass;
pub mod sample;
pub mod sketch;

use crate::blob;
use crate::id::BlobId;
use crate::targets::registry;
use crate::time::saturating_add;
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

/// What an upload owner leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UploadOwner {
    /// There is no upload owner, or its upload is gone.
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
/// after the upload: one that has ended by then has become a blob before, or never will.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ownership {
    /// Who may still make something of it.
    pub upload_owner: UploadOwner,
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
        saturating_add(since, self.min) <= self.now
    }
}

/// Whether an object that was made at `made_at` has no owner. S3 dates an object to the beginning of its multipart
/// upload, so a finished one may look old at once: what protects it is its owner. An owner that ended just now counts, too:
/// reads of two items may see one transaction at different times, and the blob may become visible shortly after.
#[must_use]
pub fn object_is_orphaned(ownership: &Ownership, made_at: Timestamp, age: &Age) -> bool {
    age.is_old(made_at) && upload_owner_is_obsolete(ownership, age)
}

/// Whether a multipart upload that began at `begun_at` has no owner.
#[must_use]
pub fn multipart_is_orphaned(upload_owner: &UploadOwner, id: &str, begun_at: Timestamp, age: &Age) -> bool {
    let owned = matches!(upload_owner, UploadOwner::Unfinished { multipart_id: Some(own) } if own == id);
    age.is_old(begun_at) && !owned
}

/// Whether an upload owner, with the other items about bytes that never became a blob, is obsolete.
#[must_use]
pub fn upload_owner_is_obsolete(ownership: &Ownership, age: &Age) -> bool {
    let over = match ownership.upload_owner {
        // Uploads are forgotten a day after their end.
        UploadOwner::Nobody => true,
        UploadOwner::Unfinished { .. } => false,
        UploadOwner::Ended { at } => at.is_none_or(|at| age.is_old(at)),
    };
    over && !ownership.is_blob
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
pub fn examine(life: &blob::Life, size: u64, found: Found) -> Option<blob::BlobEvent> {
    if life.reclaiming {
        return None;
    }
    match life.lost {
        false if found.is_another(size) => Some(blob::BlobEvent::Lose),
        true if found.is_certain(size) => Some(blob::BlobEvent::Find),
        _ => None,
    }
}

/// What the reconciler does with a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaAction {
    /// Nothing.
    Nothing,
    /// Check that the target still has it.
    Check,
    /// Remove it: its object, where there are credentials for the target, and its items.
    Remove,
}

/// How long after the target registry changed functions may still use the old one.
pub const REGISTRY_KNOWN: SignedDuration = SignedDuration::from_mins(2);

/// What to do with a replica at a target of this status (`None`: an unknown target) since `status_since`. One that
/// became available just now is skipped: the worker that copied it may still be cleaning up. So is one at a target that is
/// draining only since then: workers may still be copying it.
#[must_use]
pub fn replica_action(
    status: Option<registry::TargetStatus>,
    status_since: Timestamp,
    available_at: Option<Timestamp>,
    now: Timestamp,
) -> ReplicaAction {
    let settled = |since: Timestamp| saturating_add(since, blob::SETTLE) <= now;
    let (settled, action) = if status == Some(registry::TargetStatus::Active) {
        (available_at.is_some_and(settled), ReplicaAction::Check)
    } else {
        (settled(status_since), ReplicaAction::Remove)
    };
    if settled { action } else { ReplicaAction::Nothing }
}

/// The times from which on everything has to be checked again because the target registry changed at
/// `changed_at`: targets that are new lack replicas, those that are draining have some.
#[must_use]
pub fn after_target_registry_change(changed_at: Timestamp) -> [Timestamp; 2] {
    [REGISTRY_KNOWN, blob::SETTLE].map(|wait| saturating_add(changed_at, wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::{BlobEvent, Life};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// It is second 1000, and what is younger than 100 seconds is skipped.
    const AGE: fn() -> Age = || Age {
        now: at(1000),
        min: SignedDuration::from_secs(100),
    };

    fn unfinished(multipart_id: Option<&str>) -> UploadOwner {
        UploadOwner::Unfinished {
            multipart_id: multipart_id.map(str::to_owned),
        }
    }

    fn ownership(upload_owner: UploadOwner, is_blob: bool) -> Ownership {
        Ownership {
            upload_owner,
            is_blob,
        }
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
        let ended = UploadOwner::Ended { at: Some(at(0)) };
        for (upload_owner, is_blob, orphaned) in [
            (UploadOwner::Nobody, false, true),
            (ended.clone(), false, true),
            // Its blob may become visible shortly after its end.
            (UploadOwner::Ended { at: Some(at(901)) }, false, false),
            // Whatever multipart upload it has: a finalize that released its lease leaves an object.
            (unfinished(None), false, false),
            (unfinished(Some("m")), false, false),
            (UploadOwner::Nobody, true, false),
            (ended, true, false),
        ] {
            let ownership = ownership(upload_owner, is_blob);
            assert_eq!(
                object_is_orphaned(&ownership, at(900), &AGE()),
                orphaned,
                "{ownership:?}"
            );
            assert!(
                !object_is_orphaned(&ownership, at(901), &AGE()),
                "too young: {ownership:?}"
            );
        }
    }

    #[test]
    fn a_multipart_upload_is_owned_by_the_upload_that_has_noted_it() {
        let ended = UploadOwner::Ended { at: Some(at(0)) };
        for (upload_owner, orphaned) in [
            (unfinished(Some("m")), false),
            (unfinished(Some("other")), true),
            (unfinished(None), true),
            (ended, true),
            (UploadOwner::Nobody, true),
        ] {
            assert_eq!(
                multipart_is_orphaned(&upload_owner, "m", at(900), &AGE()),
                orphaned,
                "{upload_owner:?}"
            );
            assert!(
                !multipart_is_orphaned(&upload_owner, "m", at(901), &AGE()),
                "too young: {upload_owner:?}"
            );
        }
    }

    #[test]
    fn a_claim_is_over_when_nothing_can_come_of_its_upload_any_more() {
        let ended = |at| UploadOwner::Ended { at };
        for (upload_owner, over) in [
            (UploadOwner::Nobody, true),
            (unfinished(Some("m")), false),
            (ended(Some(at(900))), true),
            (ended(Some(at(901))), false),
            (ended(None), true),
        ] {
            assert_eq!(
                upload_owner_is_obsolete(&ownership(upload_owner.clone(), false), &AGE()),
                over,
                "{upload_owner:?}"
            );
            assert!(
                !upload_owner_is_obsolete(&ownership(upload_owner, true), &AGE()),
                "it is a blob's"
            );
        }
    }

    #[test]
    fn replicas_are_looked_at_and_removed_only_when_nobody_works_on_them_any_more() {
        use registry::TargetStatus::{Active, Draining, Retired};
        let settle = blob::SETTLE.as_secs();
        let action = |status, since, available| replica_action(status, at(since), available, at(10_000));
        let (long_ago, just_now) = (10_000 - settle, 10_001 - settle);
        for (status, since, available_at, expected) in [
            (Some(Active), 0, Some(long_ago), ReplicaAction::Check),
            (Some(Active), 0, Some(just_now), ReplicaAction::Nothing),
            (Some(Active), 0, None, ReplicaAction::Nothing),
            (Some(Draining), long_ago, Some(just_now), ReplicaAction::Remove),
            (Some(Draining), just_now, Some(0), ReplicaAction::Nothing),
            (Some(Retired), long_ago, None, ReplicaAction::Remove),
            (None, long_ago, None, ReplicaAction::Remove),
            (None, just_now, None, ReplicaAction::Nothing),
        ] {
            let found = action(status, since, available_at.map(at));
            assert_eq!(found, expected, "{status:?} {since} {available_at:?}");
        }
    }

    #[test]
    fn a_blob_is_lost_when_its_object_is_another_and_found_when_it_is_the_same() {
        let object = |size, checksum| Found::Object { size, checksum };
        for (found, from_sound, from_lost) in [
            (Found::Nothing, Some(BlobEvent::Lose), None),
            (object(9, Checksum::Same), Some(BlobEvent::Lose), None),
            (object(9, Checksum::Unknown), Some(BlobEvent::Lose), None),
            (object(10, Checksum::Other), Some(BlobEvent::Lose), None),
            (object(10, Checksum::Unknown), None, None),
            (object(10, Checksum::Same), None, Some(BlobEvent::Find)),
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
