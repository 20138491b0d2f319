//! The world: what is written down, the target, the queue, the workers and the others.

use super::others::Other;
use super::queue::Queue;
use super::replica::{Counted, Replica};
use super::size::{OTHERS, SEGMENTS, WORKERS};
use super::target::{MULTIPARTS, TargetModel};
use super::worker::Worker;

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct World {
    pub(super) replica: Option<Replica>,
    /// For which multipart upload each segment is recorded.
    pub(super) segments: [Option<u8>; SEGMENTS],
    pub(super) counters: Counted,
    pub(super) target: TargetModel,
    pub(super) queue: Queue,
    /// There are dead letters.
    pub(super) letters: bool,
    /// The blob is reclaimed: workers that come now skip it.
    pub(super) marked: bool,
    /// The circuit opens: workers that come now send the target nothing.
    pub(super) open: bool,
    pub(super) workers: [Option<Worker>; WORKERS],
    pub(super) others: [Option<Other>; OTHERS],
    pub(super) troubles: Troubles,
    pub(super) seen: Seen,
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Troubles {
    /// The target forgets the multipart uploads under way.
    pub(super) forgets: u8,
    /// It loses the object.
    pub(super) loses: u8,
    /// It has made other bytes than were sent.
    pub(super) corrupts: u8,
    /// An attempt was the last.
    pub(super) give_ups: u8,
    /// An operator redrives a failed replica.
    pub(super) redrives: u8,
    /// The blob is marked.
    pub(super) marks: u8,
    /// The target's circuit is open.
    pub(super) outages: u8,
}

/// What only the properties read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    /// What was ever recorded for each multipart upload.
    pub(super) recorded: [[bool; SEGMENTS]; MULTIPARTS],
    /// How often a blob that is put whole arrived.
    pub(super) arrivals: u8,
}
