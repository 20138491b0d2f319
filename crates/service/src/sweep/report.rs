//! What a sweep did.

use crate::sweep::feed::Fed;
use serde::Serialize;
use std::ops::AddAssign;

/// What a sweep did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    expired: u32,
    finalized: u32,
    discarded: u32,
    resent: u32,
    /// Replicas that waited without a message, and got one.
    fed: usize,
    /// Targets whose circuit is open, and that got a probe.
    probed: usize,
    /// Blobs that were marked: their bytes are deleted when no worker can be using them any more.
    marked: u32,
    reclaimed: u32,
    closed: u32,
    /// Things in the trash that were removed, and trashes that were emptied.
    purged: u32,
    /// Versions of files that were removed.
    versions_ended: u32,
    /// Folders in the trash that were counted.
    counted: u32,
    failed: u32,
    /// Items that cannot be read. Those that were due have failed as well.
    pub(crate) skipped: u64,
    /// Classes of items whose lease another run holds.
    elsewhere: u32,
}

/// What was done for one item.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    Nothing,
    Expired,
    Finalized,
    Discarded,
    Resent,
    Marked,
    Reclaimed,
    Closed,
    Purged,
    VersionEnded,
    Counted,
}

impl Report {
    /// It failed.
    pub(crate) fn failure() -> Self {
        Self {
            failed: 1,
            ..Self::default()
        }
    }

    /// Another run holds the lease.
    pub(crate) fn elsewhere() -> Self {
        Self {
            elsewhere: 1,
            ..Self::default()
        }
    }

    pub(crate) fn count_fed(&mut self, fed: &Fed) {
        self.fed += fed.sent;
        self.probed += fed.probed;
        self.failed += u32::try_from(fed.failed).unwrap_or(u32::MAX);
    }

    pub(crate) fn count(&mut self, done: Done) {
        match done {
            Done::Nothing => {}
            Done::Expired => self.expired += 1,
            Done::Finalized => self.finalized += 1,
            Done::Discarded => self.discarded += 1,
            Done::Resent => self.resent += 1,
            Done::Marked => self.marked += 1,
            Done::Reclaimed => self.reclaimed += 1,
            Done::Closed => self.closed += 1,
            Done::Purged => self.purged += 1,
            Done::VersionEnded => self.versions_ended += 1,
            Done::Counted => self.counted += 1,
        }
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.expired += other.expired;
        self.finalized += other.finalized;
        self.discarded += other.discarded;
        self.resent += other.resent;
        self.fed += other.fed;
        self.probed += other.probed;
        self.marked += other.marked;
        self.reclaimed += other.reclaimed;
        self.closed += other.closed;
        self.purged += other.purged;
        self.versions_ended += other.versions_ended;
        self.counted += other.counted;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.elsewhere += other.elsewhere;
    }
}
