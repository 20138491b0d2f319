//! The writes of what is written down about the replica, and their conditions.

use super::model::Model;
use super::replica::Replica;
use super::rules::Rule;
use super::size::SEGMENTS;
use super::world::World;
use domain::replica::{ReplicaCounters, ReplicaEvent, State, step};

impl Replica {
    /// Whether it is unchanged since it was read.
    fn is(self, model: &Model, read: Self) -> bool {
        self.state == read.state && (self.since == read.since || !model.keeps(Rule::PinsSince))
    }
}

impl World {
    /// A transaction that moves the replica and the counters, if the replica is as it was read. `false`: it is not.
    pub(super) fn transact(
        &mut self,
        model: &Model,
        event: ReplicaEvent,
        read: Replica,
        change: impl FnOnce(&mut Replica),
    ) -> bool {
        let pinned = match event {
            ReplicaEvent::Arrive => model.keeps(Rule::ArrivesPinned),
            ReplicaEvent::GiveUp => model.keeps(Rule::GivesUpPinned),
            ReplicaEvent::Redrive => model.keeps(Rule::RedrivesPinned),
            ReplicaEvent::Begin | ReplicaEvent::Record | ReplicaEvent::Lose => true,
        };
        let Some(row) = &mut self.replica else {
            return false;
        };
        let begun = row.multipart.is_some();
        let differs = event == ReplicaEvent::Redrive && begun != read.multipart.is_some();
        if pinned && (differs || !row.is(model, read)) {
            return false;
        }
        let Some(to) = step(read.state, event, begun) else {
            return false;
        };
        let digs_up = match event {
            ReplicaEvent::Arrive => model.keeps(Rule::ArrivingDigsUp),
            ReplicaEvent::Redrive => model.keeps(Rule::RedrivingDigsUp),
            ReplicaEvent::Begin | ReplicaEvent::Record | ReplicaEvent::GiveUp | ReplicaEvent::Lose => false,
        };
        row.state = to;
        row.dead_lettered &= !digs_up;
        row.due = to.is_under_way();
        change(row);
        self.touch();
        if model.keeps(Rule::CountersInTransaction) {
            self.counters.0 += ReplicaCounters::moved(Some(read.state), Some(to), model.plan.size());
        }
        true
    }

    /// Records a multipart upload for what waits for the same bytes as when it was read.
    pub(super) fn begin(&mut self, model: &Model, since: u8, multipart: u8) -> bool {
        let Some(row) = self.replica else { return false };
        let begun = Replica {
            state: State::Copying,
            multipart: Some(multipart),
            segments_done: 0,
            due: true,
            ..row
        };
        if !model.keeps(Rule::BeginsOnce) {
            self.replica = Some(begun);
            return true;
        }
        let read = Replica { since, ..row };
        self.transact(model, ReplicaEvent::Begin, read, |row| *row = begun)
    }

    /// Records a segment of the multipart upload that was read, with the progress and the bytes.
    pub(super) fn record(&mut self, model: &Model, read: Replica, segment: u8) {
        let (Some(row), Some(id)) = (self.replica, read.multipart) else {
            return;
        };
        let place = usize::from(segment);
        let fresh = self.segments[place] != read.multipart || !model.keeps(Rule::RecordsOnce);
        let current = row.multipart == read.multipart || !model.keeps(Rule::RecordsOfMultipart);
        // A failed one is due at no time, one that is under way is; so they are written differently.
        let same = read.state != State::Failed || row.state == State::Failed;
        if !fresh
            || !current
            || !same
            || !self.transact(model, ReplicaEvent::Record, row, |row| row.segments_done += 1)
        {
            return;
        }
        if !model.keeps(Rule::RecordsKeepState) {
            self.replica = self.replica.map(|row| Replica {
                state: State::Copying,
                ..row
            });
        }
        self.segments[place] = read.multipart;
        self.counters.0 = self.counters.0.copied(model.segment_size(segment));
        self.seen.recorded[usize::from(id)][place] = true;
    }

    /// The object is there and verified.
    pub(super) fn arrive(&mut self, model: &Model, read: Replica) -> bool {
        let arrived = self.transact(model, ReplicaEvent::Arrive, read, |row| row.multipart = None);
        if arrived && !model.is_large() {
            self.counters.0 = self.counters.0.copied(model.plan.size());
            self.seen.arrivals += 1;
        }
        arrived
    }

    /// The multipart upload that was read is not there any more.
    pub(super) fn forget(&mut self, multipart: Option<u8>) -> bool {
        match &mut self.replica {
            Some(row)
                if multipart.is_some() && row.multipart == multipart && row.state != State::Available =>
            {
                (row.multipart, row.segments_done) = (None, 0);
                self.touch();
                true
            }
            _ => false,
        }
    }

    /// The row was written: it is not what anybody has read any more.
    pub(super) fn touch(&mut self) {
        for worker in self.workers.iter_mut().flatten() {
            worker.has_read_older();
        }
    }

    /// The circuit is open: what waits for its bytes waits without a message. Returns whether it does.
    pub(super) fn park(&mut self, model: &Model) -> bool {
        match &mut self.replica {
            Some(row) if row.is_under_way() => {
                row.due = false;
                true
            }
            _ => !model.keeps(Rule::ParksUnderWay),
        }
    }

    /// It has a message again.
    pub(super) fn unpark(&mut self) {
        if let Some(row) = &mut self.replica
            && row.is_parked()
        {
            row.due = true;
        }
    }

    /// The dead letter of a failed replica was sent. `same`: nothing was written since it was read.
    pub(super) fn dead_letter(&mut self, model: &Model, same: bool) {
        let pinned = same || !model.keeps(Rule::DeadLettersPinned);
        if let Some(row) = &mut self.replica
            && row.state == State::Failed
            && pinned
        {
            row.dead_lettered = true;
        }
    }

    /// The target does not have the object any more.
    pub(super) fn lose(&mut self, model: &Model, read: Replica) -> bool {
        let lost = self.transact(model, ReplicaEvent::Lose, read, |row| {
            row.since += 1;
            if model.keeps(Rule::LosesAll) {
                row.segments_done = 0;
            }
        });
        self.target.lost &= !lost;
        lost
    }

    /// Deletes the row of a replica as it was read.
    pub(super) fn remove(&mut self, model: &Model, read: Replica) -> bool {
        let Some(row) = self.replica else { return true };
        if !row.is(model, read) && model.keeps(Rule::RemovesPinned) {
            return false;
        }
        self.replica = None;
        self.counters.0 += ReplicaCounters::moved(Some(read.state), None, model.plan.size());
        true
    }

    /// The segments that are recorded for a multipart upload.
    pub(super) fn recorded(&self, model: &Model, multipart: Option<u8>) -> Vec<u32> {
        let counts =
            |of: Option<u8>| of.is_some() && (of == multipart || !model.keeps(Rule::TellsMultipartsApart));
        (0..)
            .zip(self.segments)
            .filter(|(_, of)| counts(*of))
            .map(|(segment, _)| segment)
            .collect()
    }

    /// Deletes all segments, of whatever multipart upload.
    pub(super) fn delete_segments(&mut self) {
        self.segments = [None; SEGMENTS];
    }
}
