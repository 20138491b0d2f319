//! The replica's row, and the target's counters.

use domain::replica::{ReplicaCounters, State};
use std::hash::{Hash, Hasher};

/// The replica's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Replica {
    pub(super) state: State,
    /// For which bytes it waits: those of the first time, or those that were lost so often.
    pub(super) since: u8,
    pub(super) multipart: Option<u8>,
    pub(super) segments_done: u8,
    /// It has failed, and its dead letter was sent.
    pub(super) dead_lettered: bool,
    /// The sweep looks at it some day. What waits and is not due has no message.
    pub(super) due: bool,
}

impl Replica {
    pub(super) const NEW: Self = Self {
        state: State::Pending,
        since: 0,
        multipart: None,
        segments_done: 0,
        dead_lettered: false,
        due: true,
    };

    /// What a write pins. With a multipart upload a failed one goes on in another state than without.
    pub(super) fn pinned(self) -> Self {
        let failed = self.state == State::Failed;
        Self {
            multipart: self.multipart.filter(|_| failed).map(|_| 0),
            segments_done: 0,
            dead_lettered: false,
            due: true,
            ..self
        }
    }

    pub(super) fn is_under_way(self) -> bool {
        self.state.is_under_way()
    }

    /// It waits without a message.
    pub(super) fn is_parked(self) -> bool {
        self.is_under_way() && !self.due
    }

    /// It has failed, and waits for the same bytes as when it was read.
    pub(super) fn may_be_redriven(self, since: u8) -> bool {
        self.state == State::Failed && self.since == since
    }
}

/// The target's replica counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted(pub(super) ReplicaCounters);

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.numbers().map(|(_, number)| number).hash(state);
    }
}
