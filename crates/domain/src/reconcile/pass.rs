//! A pass goes through all objects, then all multipart uploads, then all rows, a page at a time. Its progress is
//! stored after each page: after an interruption the next run continues at the page that was not finished.

use super::Age;
use super::sketch::Sketch;
use crate::blob::Life;
use crate::id::BlobId;
use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// The counts of a pass, or of a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Objects with keys of ours.
    pub objects_seen: u64,
    /// Those among them that had no owner, and were deleted.
    pub objects_orphaned: u64,
    /// Multipart uploads with keys of ours.
    pub multiparts_seen: u64,
    /// Those among them that had no owner, and were aborted.
    pub multiparts_aborted: u64,
    /// Blobs.
    pub blobs_seen: u64,
    /// Those among them whose object was checked by a HEAD. The others' sizes are those of the listing.
    pub blobs_checked: u64,
    /// Those among them whose object was found missing by this pass.
    pub blobs_lost: u64,
    /// Those among them whose object was gone, and is back.
    pub blobs_found: u64,
    /// Replicas.
    pub replicas_seen: u64,
    /// Those among them that were checked at their target.
    pub replicas_checked: u64,
    /// Those among them that their target has lost, and that are copied again.
    pub replicas_lost: u64,
    /// Those that were missing at a target that applies to their file, and were created.
    pub replicas_added: u64,
    /// Those that were removed from a target that is being drained, or whose target is retired.
    pub replicas_removed: u64,
    /// Obsolete upload owners that were removed.
    pub upload_owners_removed: u64,
    /// Objects and multipart uploads with keys that are not ours. They were skipped.
    pub foreign: u64,
    /// Things that could not be checked or repaired; the log says why. The next pass tries again.
    pub failed: u64,
    /// Rows that cannot be read, and were skipped; the log has their keys.
    pub skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.objects_seen += more.objects_seen;
        self.objects_orphaned += more.objects_orphaned;
        self.multiparts_seen += more.multiparts_seen;
        self.multiparts_aborted += more.multiparts_aborted;
        self.blobs_seen += more.blobs_seen;
        self.blobs_checked += more.blobs_checked;
        self.blobs_lost += more.blobs_lost;
        self.blobs_found += more.blobs_found;
        self.replicas_seen += more.replicas_seen;
        self.replicas_checked += more.replicas_checked;
        self.replicas_lost += more.replicas_lost;
        self.replicas_added += more.replicas_added;
        self.replicas_removed += more.replicas_removed;
        self.upload_owners_removed += more.upload_owners_removed;
        self.foreign += more.foreign;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// A page of a pass, by what comes right before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum PageStart {
    /// Of the objects in the bucket.
    Objects {
        /// After this key.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        after: Option<String>,
    },
    /// Of the multipart uploads in the bucket.
    Multiparts {
        /// After this one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        after: Option<Marker>,
    },
    /// Of the rows in the table.
    Rows {
        /// After the row with this partition and sort key.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        after: Option<(String, String)>,
    },
}

/// A multipart upload after which a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marker {
    /// Its key.
    pub key: String,
    /// Its id. Without one the page begins after all multipart uploads of the key: stores do not take ids of multipart
    /// uploads that are gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
}

impl PageStart {
    /// Where a pass begins.
    pub const START: Self = Self::Objects { after: None };

    /// The first page of what comes after all pages like this one. `None`: the pass has ended.
    #[must_use]
    pub fn then(&self) -> Option<Self> {
        match self {
            Self::Objects { .. } => Some(Self::Multiparts { after: None }),
            Self::Multiparts { .. } => Some(Self::Rows { after: None }),
            Self::Rows { .. } => None,
        }
    }
}

/// A pass under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Which one it is.
    #[serde(default)]
    pub number: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// The blobs that have objects, less those that should. Without one every blob's object is checked by a HEAD.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sketch: Option<Sketch>,
    /// The page that comes next.
    pub place: PageStart,
    /// Its counts so far.
    pub counts: Counts,
}

/// What a page of the listing, or of the rows, says about which blobs have objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Blobs that have an object of the right size.
    pub objects: Vec<BlobId>,
    /// Blobs that should have one.
    pub blobs: Vec<BlobId>,
}

/// Which blobs have no object of the right size, when a pass has seen all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Perhaps these. All others have one, unless it was deleted during the pass.
    Perhaps(Vec<BlobId>),
    /// Too many to decode, or too much changed during the pass: the next pass checks every object by a HEAD.
    TooMany,
}

impl Pass {
    /// Whether the listing has to know about a blob's object: it is old enough that the listing cannot have been before it,
    /// and it is not about to be removed. The answer is the same when the row is read at the listing and later, but for
    /// what is removed or lost in between.
    #[must_use]
    pub fn is_compared(&self, life: &Life, created_at: Timestamp, age: &Age) -> bool {
        let at_start = Age {
            now: self.started_at,
            ..*age
        };
        !life.reclaiming && !life.lost && at_start.is_old(created_at)
    }

    /// Adds what a page says.
    pub fn note(&mut self, seen: &Seen) {
        let Some(sketch) = &mut self.sketch else { return };
        for blob in &seen.objects {
            // The other side leaves out the same ones.
            let _ = sketch.add(blob);
        }
        for blob in &seen.blobs {
            let _ = sketch.take(blob);
        }
    }

    /// The result, when all pages are seen.
    #[must_use]
    pub fn missing(&self) -> Missing {
        match self.sketch.as_ref().map(Sketch::difference) {
            None => Missing::Perhaps(Vec::new()),
            Some(Some(difference)) => Missing::Perhaps(difference.taken),
            Some(None) => Missing::TooMany,
        }
    }
}

/// A pass that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which one it was.
    #[serde(default)]
    pub number: u64,
    /// It could not tell which blobs have no object.
    #[serde(default)]
    pub undecided: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its counts.
    pub counts: Counts,
}

/// The progress of the reconciler.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The pass under way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub under_way: Option<Pass>,
    /// The last one that ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<Ended>,
}

impl Progress {
    /// The pass to work on at `now`: the one under way, or a new one when `interval` has passed since the last one began,
    /// or since the last one began one of these times has come from which on everything has to be checked again, or
    /// the last one could not tell which blobs have no object.
    /// `None`: there is nothing to do yet.
    #[must_use]
    pub fn pass(&self, now: Timestamp, interval: SignedDuration, again: &[Timestamp]) -> Option<Pass> {
        if self.under_way.is_some() {
            return self.under_way.clone();
        }
        let due = self.last.as_ref().is_none_or(|last| {
            let next = saturating_add(last.started_at, interval);
            last.undecided || next <= now || again.iter().any(|at| last.started_at < *at && *at <= now)
        });
        let last = self.last.as_ref();
        due.then(|| Pass {
            number: last.map_or(0, |last| last.number.wrapping_add(1)),
            started_at: now,
            sketch: last.is_none_or(|last| !last.undecided).then(Sketch::default),
            place: PageStart::START,
            counts: Counts::default(),
        })
    }

    /// What there is when `pass` has seen the page at its place. `next`: where the next page like it begins, if there is
    /// one.
    #[must_use]
    pub fn after_page(
        &self,
        mut pass: Pass,
        counts: Counts,
        next: Option<PageStart>,
        now: Timestamp,
    ) -> Self {
        pass.counts += counts;
        match next.or_else(|| pass.place.then()) {
            Some(place) => Self {
                under_way: Some(Pass { place, ..pass }),
                last: self.last.clone(),
            },
            None => Self {
                under_way: None,
                last: Some(Ended {
                    number: pass.number,
                    undecided: pass.missing() == Missing::TooMany,
                    started_at: pass.started_at,
                    ended_at: now,
                    counts: pass.counts,
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests;
