//! What else changes a replica: a redrive by an operator, the reconciler, and its removal.

use super::queue::Message;
use super::rows::Replica;
use super::rules::Rule;
use super::target::{self, MULTIPARTS};
use super::{Model, World};
use domain::replica::{ReplicaEvent, State};

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
    Abort(Replica, target::Which),
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

    /// Does the next call. `None`: it was the last.
    pub(super) fn step(self, model: &Model, world: &mut World) -> Option<Self> {
        Some(match self {
            Self::Redrive { taken, call } => Self::Redrive {
                taken,
                call: call.step(model, world)?,
            },
            Self::Reconcile(call) => Self::Reconcile(call.step(model, world)?),
            Self::Remove(call) => Self::Remove(call.step(model, world)?),
            Self::Feed(call) => Self::Feed(call.step(world)?),
        })
    }
}

impl Redrive {
    fn step(self, model: &Model, world: &mut World) -> Option<Self> {
        Some(match self {
            Self::Read => match world.replica {
                Some(row) if row.state == State::Failed => Self::Move(row.pinned()),
                _ => Self::DeleteLetters,
            },
            Self::Move(read) if world.transact(model, ReplicaEvent::Redrive, read, |_| ()) => Self::Send,
            Self::Move(read) => Self::ReadAgain { since: read.since },
            Self::ReadAgain { since } => match world.replica {
                Some(row) if row.may_be_redriven(since) => Self::Move(row.pinned()),
                _ => Self::DeleteLetters,
            },
            Self::Send => {
                world.queue.send(Message::Start);
                Self::DeleteLetters
            }
            Self::DeleteLetters => {
                if !model.keeps(Rule::TakesLettersFirst) {
                    world.letters = false;
                }
                return None;
            }
        })
    }
}

impl Feed {
    fn step(self, world: &mut World) -> Option<Self> {
        match self {
            Self::Send => {
                world.queue.send(Message::Start);
                Some(Self::Count)
            }
            Self::Count => {
                world.unpark();
                None
            }
        }
    }
}

impl Reconcile {
    fn step(self, model: &Model, world: &mut World) -> Option<Self> {
        Some(match self {
            Self::Lose(read) => {
                if !world.lose(model, read) {
                    return None;
                }
                Self::Send
            }
            Self::Send => {
                world.queue.send(Message::Start);
                return None;
            }
        })
    }
}

impl Remove {
    fn step(self, model: &Model, world: &mut World) -> Option<Self> {
        Some(match self {
            Self::Read => {
                let row = world.replica?.pinned();
                if !model.keeps(Rule::RemovesRowLast) {
                    world.remove(model, row);
                }
                Self::List(row)
            }
            Self::List(row) => {
                let these = world.target.live();
                if these == [false; MULTIPARTS] || !model.keeps(Rule::RemovesMultiparts) {
                    Self::DeleteObject(row)
                } else {
                    Self::Abort(row, these)
                }
            }
            Self::Abort(row, these) => {
                world.target.abort(these);
                Self::DeleteObject(row)
            }
            Self::DeleteObject(row) => {
                world.target.delete();
                Self::DeleteSegments(row)
            }
            Self::DeleteSegments(row) => {
                world.delete_segments();
                Self::DeleteRow(row)
            }
            Self::DeleteRow(row) => {
                if world.remove(model, row) {
                    return None;
                }
                Self::Read
            }
        })
    }
}
