//! Time without a clock.
//!
//! It is always [`NOW`]. A time that is written down is a [`Timer`]: it is running, or over. That a timer runs out
//! is an action of its own, possible at any time but one: a process that was alive when a timer of a function's [`LIFE`] or
//! more was set must be gone before. How long each timer runs is what the domain says, so a constant that is too
//! short is found.

use domain::upload::{AFTERMATH, LEASE_MARGIN};
use jiff::{SignedDuration, Timestamp};

/// The present time.
pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// The longest that a function runs, and what it asked the store for is still under way.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// How long the reconciler skips what has no owner.
pub(crate) const MIN_AGE: SignedDuration = SignedDuration::from_hours(24);
/// How long a finalize waits for the store.
pub(crate) const TIMEOUT: SignedDuration = SignedDuration::from_secs(20);

const _: () = assert!(LEASE_MARGIN.as_secs() < LIFE.as_secs() && AFTERMATH.as_secs() >= LIFE.as_secs());

/// Processes, a bit for each.
pub(crate) type Alive = u8;

/// A time that is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Timer {
    /// It is in the future, and stays there while one of these lives.
    Running(Alive),
    /// It is not in the future.
    Over,
}

impl Timer {
    /// A timer of `wait` from now on.
    pub(crate) fn of(wait: SignedDuration, alive: Alive) -> Self {
        if wait <= SignedDuration::ZERO {
            Self::Over
        } else if wait < LIFE {
            Self::Running(0)
        } else {
            Self::Running(alive)
        }
    }

    /// As the domain sees it.
    pub(crate) fn at(self) -> Timestamp {
        match self {
            Self::Running(_) => Timestamp::MAX,
            Self::Over => NOW,
        }
    }

    /// What the domain made of it.
    pub(crate) fn changed_to(self, at: Timestamp, alive: Alive) -> Self {
        if at == self.at() {
            self
        } else {
            Self::of(at.duration_since(NOW), alive)
        }
    }

    /// Whether it can run out.
    pub(crate) fn is_ripe(self) -> bool {
        self == Self::Running(0)
    }

    /// These are gone.
    pub(crate) fn forget(&mut self, gone: Alive) {
        if let Self::Running(alive) = self {
            *alive &= !gone;
        }
    }
}

/// What the domain made of a time that may be absent.
pub(crate) fn changed(old: Option<Timer>, at: Option<Timestamp>, alive: Alive) -> Option<Timer> {
    at.map(|at| match old {
        Some(old) => old.changed_to(at, alive),
        None => Timer::of(at.duration_since(NOW), alive),
    })
}
