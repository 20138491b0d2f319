//! The world: the table, the store, a target of replicas, the queue, and the processes.

use crate::clock::{Alive, NOW, Timer, changed};
use crate::process::Process;
use crate::size::{ACCOUNTS, CONTENTS, Id, MULTIPARTS, NODES, SLOTS, UPLOADS};
use domain::account::Quota;
use domain::blob::Life;
use domain::placement::OnConflict;
use domain::upload::{Lifecycle, State};

/// An upload's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Upload {
    pub(crate) account: Id,
    pub(crate) name: Id,
    pub(crate) on_conflict: OnConflict,
    pub(crate) size: u64,
    pub(crate) announced: Option<Id>,
    pub(crate) state: State,
    pub(crate) expires: Timer,
    pub(crate) lease: Option<Timer>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) multipart: Option<Id>,
    /// When it has to be looked at for what it left at the store.
    pub(crate) discard: Option<Timer>,
    /// When what was under way at its end is over.
    pub(crate) settled: Option<Timer>,
}

/// What has to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Challenge {
    pub(crate) blob: Id,
    pub(crate) until: Timer,
}

impl Upload {
    pub(crate) fn lifecycle(&self) -> Lifecycle {
        Lifecycle {
            state: self.state,
            expires_at: self.expires.at(),
            lease_until: self.lease.map(Timer::at),
            challenge_until: self.challenge.map(|challenge| challenge.until.at()),
        }
    }

    /// The row after a step of the domain.
    pub(crate) fn moved_to(self, lifecycle: &Lifecycle, alive: Alive) -> Self {
        let expires = self.expires.changed_to(lifecycle.expires_at, alive);
        Self {
            state: lifecycle.state,
            // That of an ended upload means nothing.
            expires: if lifecycle.state.is_final() {
                Timer::Over
            } else {
                expires
            },
            lease: changed(self.lease, lifecycle.lease_until, alive),
            challenge: self.challenge.filter(|_| lifecycle.challenge_until.is_some()),
            ..self
        }
    }

    /// When the sweep looks at it.
    pub(crate) fn due(&self) -> Option<Timer> {
        match self.state {
            State::Open | State::ProofRequired => Some(self.expires),
            State::Finalizing => self.lease,
            State::Complete | State::Aborted | State::Expired => self.discard,
        }
    }

    fn timers(&mut self, id: Id) -> impl Iterator<Item = (Clock, &mut Timer)> {
        let challenge = self.challenge.as_mut().map(|challenge| &mut challenge.until);
        let all = [
            (Clock::Expiry(id), Some(&mut self.expires)),
            (Clock::Lease(id), self.lease.as_mut()),
            (Clock::Challenge(id), challenge),
            (Clock::Discard(id), self.discard.as_mut()),
            (Clock::Settled(id), self.settled.as_mut()),
        ];
        all.into_iter().filter_map(|(clock, timer)| Some((clock, timer?)))
    }
}

/// A blob's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Blob {
    pub(crate) content: Id,
    pub(crate) references: u64,
    pub(crate) reclaiming: bool,
    pub(crate) lost: bool,
    pub(crate) examine: Option<Timer>,
}

impl Blob {
    pub(crate) fn new(content: Id) -> Self {
        let Life {
            references,
            reclaiming,
            lost,
            ..
        } = Life::NEW;
        Self {
            content,
            references,
            reclaiming,
            lost,
            examine: None,
        }
    }

    pub(crate) fn life(&self) -> Life {
        Life {
            references: self.references,
            reclaiming: self.reclaiming,
            lost: self.lost,
            next_check_at: self.examine.map(Timer::at),
        }
    }

    pub(crate) fn moved_to(self, life: &Life, alive: Alive) -> Self {
        Self {
            content: self.content,
            references: life.references,
            reclaiming: life.reclaiming,
            lost: life.lost,
            examine: changed(self.examine, life.next_check_at, alive),
        }
    }
}

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) account: Id,
    pub(crate) name: Id,
    pub(crate) content: Id,
    pub(crate) size: u64,
    pub(crate) blob: Id,
}

/// A replica's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Replica {
    /// Until the sweep takes its message for lost.
    Pending(Timer),
    /// It is at the target.
    Available,
}

/// A multipart upload of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Multipart {
    /// Not begun.
    Unused,
    /// Under way, with its part if that was sent.
    Live(Option<Id>),
    /// An object.
    Completed,
    /// Given up.
    Aborted,
}

/// A time that is written down somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// An upload is too old.
    Expiry(Id),
    /// A lease runs out.
    Lease(Id),
    /// A challenge can be answered no longer.
    Challenge(Id),
    /// An ended upload has to be discarded again.
    Discard(Id),
    /// What was under way when an upload ended is over.
    Settled(Id),
    /// A blob has to be examined.
    Examine(Id),
    /// A replica has made no progress for long.
    Stalled(Id),
    /// A multipart upload of a key is not young any more.
    Age(Id, Id),
}

/// Things that must never happen and leave no other trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(crate) struct Faults {
    /// An upload that ended became something else.
    pub(crate) risen: bool,
    /// An upload was given up while it was being finalized.
    pub(crate) thrown_away: bool,
    /// A lease was taken that had not run out.
    pub(crate) lease_stolen: bool,
    /// A reader found something that cannot be.
    pub(crate) corrupt: bool,
}

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) quotas: [Quota; ACCOUNTS],
    pub(crate) uploads: [Option<Upload>; UPLOADS],
    pub(crate) contents: [Option<Id>; CONTENTS],
    pub(crate) blobs: [Option<Blob>; UPLOADS],
    pub(crate) all_part_digests: [Option<Id>; UPLOADS],
    pub(crate) upload_owners: [bool; UPLOADS],
    pub(crate) nodes: [Option<Node>; NODES],
    pub(crate) replicas: [Option<Replica>; UPLOADS],
    /// The store: multipart uploads and objects by key.
    pub(crate) multiparts: [[Multipart; MULTIPARTS]; UPLOADS],
    /// How old multipart uploads are, where there is a reconciler.
    pub(crate) ages: [[Option<Timer>; MULTIPARTS]; UPLOADS],
    pub(crate) objects: [Option<Id>; UPLOADS],
    /// What the target has.
    pub(crate) copies: [Option<Id>; UPLOADS],
    /// Blobs that have a message.
    pub(crate) queue: [bool; UPLOADS],
    pub(crate) processes: [Option<Process>; SLOTS],
    /// Which of them belong to the sweep.
    pub(crate) sweeping: Alive,
    /// The requests of the script that were not made yet, a bit for each.
    pub(crate) script: u16,
    pub(crate) faults: Faults,
    /// Blobs are replicated to a target.
    pub(crate) has_target: bool,
    /// The reconciler comes by.
    pub(crate) reconciled: bool,
}

impl World {
    /// Two accounts with some room, and nothing else.
    pub(crate) fn empty(limit: u64) -> Self {
        let free = i64::try_from(limit).unwrap_or(i64::MAX);
        Self {
            quotas: [Quota { limit, free }; ACCOUNTS],
            uploads: [None; UPLOADS],
            contents: [None; CONTENTS],
            blobs: [None; UPLOADS],
            all_part_digests: [None; UPLOADS],
            upload_owners: [false; UPLOADS],
            nodes: [None; NODES],
            replicas: [None; UPLOADS],
            multiparts: [[Multipart::Unused; MULTIPARTS]; UPLOADS],
            ages: [[None; MULTIPARTS]; UPLOADS],
            objects: [None; UPLOADS],
            copies: [None; UPLOADS],
            queue: [false; UPLOADS],
            processes: [None; SLOTS],
            sweeping: 0,
            script: 0,
            faults: Faults::default(),
            has_target: false,
            reconciled: false,
        }
    }

    /// The processes.
    pub(crate) fn alive(&self) -> Alive {
        let bits = self.processes.iter().enumerate();
        bits.fold(0, |alive, (slot, process)| {
            alive | u8::from(process.is_some()) << slot
        })
    }

    /// A process is gone, done or dead.
    pub(crate) fn end(&mut self, slot: usize) {
        self.processes[slot] = None;
        let gone = 1 << slot;
        self.sweeping &= !gone;
        self.timers().for_each(|(_, timer)| timer.forget(gone));
    }

    /// Every time that is written down.
    pub(crate) fn timers(&mut self) -> impl Iterator<Item = (Clock, &mut Timer)> {
        let uploads = (0..).zip(&mut self.uploads);
        let uploads = uploads.filter_map(|(id, row)| Some((id, row.as_mut()?)));
        let blobs = (0..).zip(&mut self.blobs);
        let blobs = blobs.filter_map(|(id, row)| Some((Clock::Examine(id), row.as_mut()?.examine.as_mut()?)));
        let replicas = (0..)
            .zip(&mut self.replicas)
            .filter_map(|(id, replica)| match replica {
                Some(Replica::Pending(timer)) => Some((Clock::Stalled(id), timer)),
                _ => None,
            });
        let ages = (0..).zip(&mut self.ages).flat_map(|(key, ages)| {
            let each = (0..).zip(ages);
            each.filter_map(move |(id, age)| Some((Clock::Age(key, id), age.as_mut()?)))
        });
        uploads
            .flat_map(|(id, row)| row.timers(id))
            .chain(blobs)
            .chain(replicas)
            .chain(ages)
    }

    /// Writes an upload's row: a process that read the old one has an old version.
    pub(crate) fn write_upload(&mut self, id: Id, row: Upload) {
        let place = &mut self.uploads[usize::from(id)];
        if let Some(old) = place {
            self.faults.risen |= old.state.is_final() && old.state != row.state;
            let given_up = matches!(row.state, State::Aborted | State::Expired);
            self.faults.thrown_away |= old.state == State::Finalizing && given_up;
            let held = matches!(old.lease, Some(Timer::Running(_)));
            let taken = row.state == State::Finalizing && old.state == State::Finalizing;
            self.faults.lease_stolen |= held && taken;
        }
        *place = Some(row);
        for process in self.processes.iter_mut().flatten() {
            process.upload_changed(id);
        }
    }

    /// Writes a blob's row.
    pub(crate) fn write_blob(&mut self, id: Id, row: Blob) {
        let place = &mut self.blobs[usize::from(id)];
        let moved = place.is_some_and(|old| old.examine != row.examine || old.references != row.references);
        *place = Some(row);
        if moved {
            for process in self.processes.iter_mut().flatten() {
                process.blob_changed(id);
            }
        }
    }

    /// The blob of this content that new files may refer to, as the index has it.
    pub(crate) fn blob_row(&self, id: Id) -> Option<&Blob> {
        self.blobs[usize::from(id)].as_ref()
    }

    /// The file of this name.
    pub(crate) fn node_named(&self, account: Id, name: Id) -> Option<usize> {
        let has = |node: &Node| node.account == account && node.name == name;
        self.nodes.iter().position(|node| node.as_ref().is_some_and(has))
    }

    /// A discard timer that is due at once, or when what was under way is over.
    pub(crate) fn settled(at: Option<jiff::Timestamp>, alive: Alive) -> Option<Timer> {
        at.map(|at| Timer::of(at.duration_since(NOW), alive))
    }
}
