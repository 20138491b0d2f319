//! What else changes a replica: a redrive by an operator, the reconciler, and its removal.

mod step;

use super::replica::Replica;
use super::target::Which;

/// One of them, with its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Other {
    /// It has these letters, which are deleted last.
    Redrive {
        taken: bool,
        call: Redrive,
    },
    /// It found that the object is not what it should be.
    Reconcile(Reconcile),
    Remove(Remove),
    Feed(Feed),
}

/// Sends messages for replicas that wait without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Feed {
    Send,
    /// It has a message.
    Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Redrive {
    Read,
    Move(Replica),
    /// Others were faster.
    ReadAgain {
        since: u8,
    },
    Send,
    DeleteLetters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reconcile {
    Lose(Replica),
    Send,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Remove {
    Read,
    List(Replica),
    Abort(Replica, Which),
    DeleteObject(Replica),
    DeleteSegments(Replica),
    DeleteRow(Replica),
}

impl Other {
    pub(super) fn redrive(taken: bool) -> Self {
        let call = Redrive::Read;
        Self::Redrive { taken, call }
    }

    /// It has read the replica, and found that its object is not what it should be.
    pub(super) fn reconcile(read: Replica) -> Self {
        Self::Reconcile(Reconcile::Lose(read))
    }

    pub(super) fn remove() -> Self {
        Self::Remove(Remove::Read)
    }

    /// It has found a replica without a message.
    pub(super) fn feed() -> Self {
        Self::Feed(Feed::Send)
    }

    pub(super) fn is_redrive(&self) -> bool {
        matches!(self, Self::Redrive { .. })
    }

    /// The letters that it has come back when it dies.
    pub(super) fn has_letters(&self) -> bool {
        matches!(self, Self::Redrive { taken: true, .. })
    }
}
