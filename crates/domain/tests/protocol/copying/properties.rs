//! What holds in every world.

use super::actions::Action;
use super::model::Model;
use super::others::Other;
use super::queue::Message;
use super::replica::Replica;
use super::rules::Rule;
use super::target::MULTIPARTS;
use super::worker::Worker;
use super::world::World;
use domain::replica::{ReplicaCounters, State};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

pub(super) const AVAILABLE: &str = "what is available is at the target, unless the target lost it since";
pub(super) const PROGRESS: &str = "progress is what is recorded of the current multipart upload";
pub(super) const COUNTERS: &str = "the counters are what there is";
pub(super) const COPIED: &str = "each segment of a multipart upload is counted once";
pub(super) const FAILED: &str = "what has failed has a dead letter, or is about to";
pub(super) const REMOVED: &str = "what is not written down is not at the target";
pub(super) const ENDS: &str = "all is well once nothing goes wrong any more";

type Condition = fn(&Model, &World) -> bool;

pub(super) const INVARIANTS: [(&str, Condition); 7] = [
    (AVAILABLE, |_, world| {
        !world.is(State::Available) || world.target.is_right() || world.target.lost || world.marked
    }),
    // While it is removed, its segments go first.
    (PROGRESS, |_, world| {
        world.marked
            || world
                .replica
                .is_none_or(|row| row.state == State::Available || world.progress(row) == row.segments_done)
    }),
    (COUNTERS, |model, world| {
        let state = world.replica.map(|row| row.state);
        let counted = ReplicaCounters {
            copied_bytes: 0,
            ..world.counters.0
        };
        counted == ReplicaCounters::moved(None, state, model.plan.size())
    }),
    (COPIED, |model, world| {
        world.counters.0.copied_bytes == world.copied(model).copied_bytes
    }),
    (FAILED, |_, world| {
        !world.is(State::Failed) || world.has_letter() || world.owes_letter() || world.marked
    }),
    (REMOVED, |_, world| {
        world.replica.is_some() || world.target.is_empty()
    }),
    (ENDS, |model, world| {
        world.ends_well(model, Order::First) && world.ends_well(model, Order::Last)
    }),
];

/// Which process is first when several could act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Order {
    First,
    Last,
}

impl World {
    pub(super) fn is(&self, state: State) -> bool {
        self.replica.is_some_and(|row| row.state == state)
    }

    fn progress(&self, row: Replica) -> u8 {
        let counts = |of: &&Option<u8>| of.is_some() && **of == row.multipart;
        u8::try_from(self.segments.iter().filter(counts).count()).unwrap_or(u8::MAX)
    }

    /// What was copied, counted once.
    fn copied(&self, model: &Model) -> ReplicaCounters {
        let whole = model.plan.size() * u64::from(self.seen.arrivals);
        let mut counters = ReplicaCounters::default().copied(whole);
        for segments in self.seen.recorded {
            for (segment, _) in (0..).zip(segments).filter(|(_, recorded)| *recorded) {
                counters = counters.copied(model.segment_size(segment));
            }
        }
        counters
    }

    fn has_letter(&self) -> bool {
        self.letters || self.others.iter().flatten().any(Other::has_letters)
    }

    /// A process will send a dead letter, or have it tried again.
    fn owes_letter(&self) -> bool {
        let start = |again| self.queue.has(Message::Start, again);
        let dead_lettered = self.replica.is_some_and(|row| row.dead_lettered);
        let mut workers = self.workers.iter().flatten();
        start(false)
            || start(true)
            || (self.queue.has_any_again() && !dead_lettered)
            || workers.any(|worker| worker.owes_letter(dead_lettered) || worker.is_redriving())
    }

    /// No worker looked at it for long.
    pub(super) fn is_stalled(&self, model: &Model) -> bool {
        let swept = |row: Replica| match row.state {
            State::Pending => model.keeps(Rule::SweepsPending),
            State::Copying => model.keeps(Rule::SweepsCopying),
            State::Available | State::Failed => false,
        };
        !self.marked && self.replica.is_some_and(|row| row.due && swept(row))
    }

    /// It waits without a message, at a target whose circuit has closed.
    pub(super) fn is_hungry(&self, model: &Model) -> bool {
        let parked = self.replica.is_some_and(Replica::is_parked);
        parked && !self.open && !self.marked && model.keeps(Rule::Feeds)
    }

    pub(super) fn may_be_reconciled(&self, model: &Model) -> bool {
        let settled = !self.workers.iter().flatten().any(Worker::is_old);
        let waited = settled || !model.keeps(Rule::LosesSettled);
        self.is(State::Available) && !self.target.is_right() && waited && model.keeps(Rule::Reconciles)
    }

    pub(super) fn may_be_removed(&self, model: &Model) -> bool {
        let settled = self.workers.iter().flatten().next().is_none();
        self.marked && self.replica.is_some() && (settled || !model.keeps(Rule::Settles))
    }

    pub(super) fn join(&mut self, other: Other) {
        if let Some(place) = self.others.iter_mut().find(|other| other.is_none()) {
            *place = Some(other);
        }
    }

    /// Whether all ends well when nothing goes wrong any more: it is available, or removed. If it has failed, with a dead
    /// letter, it is tried again.
    fn ends_well(mut self, model: &Model, order: Order) -> bool {
        const LONGEST: usize = 200;
        let mut way = Vec::new();
        while way.len() < LONGEST {
            let place = BuildHasherDefault::<DefaultHasher>::default().hash_one((self, order));
            if model.ends.knows(place) {
                model.ends.learn(&way);
                return true;
            }
            way.push(place);
            let next = self.next(model, order);
            if next.is_none() && !self.is(State::Failed) {
                let well = self.is_well(model);
                if well {
                    model.ends.learn(&way);
                }
                return well;
            }
            if next.is_none() && !self.letters {
                return false;
            }
            let redrive = Action::Redrive { letters: true };
            self = model.after(&self, next.unwrap_or(redrive));
        }
        false
    }

    /// What happens next when nothing goes wrong. `None`: nothing.
    fn next(&self, model: &Model, order: Order) -> Option<Action> {
        if self.open {
            return Some(Action::Close);
        }
        let others = self
            .others
            .iter()
            .position(Option::is_some)
            .map(Action::StepOther);
        let mut workers = self.workers.iter();
        let first = order == Order::First;
        let worker = if first {
            workers.position(Option::is_some)
        } else {
            workers.rposition(Option::is_some)
        };
        let worker = worker.map(Action::Step);
        let under_way = if first {
            worker.or(others)
        } else {
            others.or(worker)
        };
        let message = self.queue.any().map(|(message, again)| Action::Deliver {
            message,
            again,
            stays: false,
        });
        let due = [
            (self.may_be_removed(model), Action::Remove),
            (self.is_stalled(model), Action::Sweep),
            (self.is_hungry(model), Action::Feed),
            (self.may_be_reconciled(model), Action::Reconcile),
        ];
        let due = due.iter().find(|(is, _)| *is).map(|(_, action)| *action);
        under_way.or(message).or(due)
    }

    /// Nothing is left to be done, and nothing is left behind.
    fn is_well(&self, model: &Model) -> bool {
        if self.marked {
            return self.replica.is_none() && self.target.is_empty() && self.counters.0.is_empty();
        }
        // It takes redelivered messages, which know that they are, to find multipart uploads that were not recorded.
        let nothing_else = !model.tells_again || self.target.live() == [false; MULTIPARTS];
        self.is(State::Available) && self.target.is_right() && nothing_else
    }
}
