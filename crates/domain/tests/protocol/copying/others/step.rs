//! What the other processes do, call by call.

use super::{Feed, Other, Reconcile, Redrive, Remove};
use crate::copying::model::Model;
use crate::copying::queue::Message;
use crate::copying::rules::Rule;
use crate::copying::target::MULTIPARTS;
use crate::copying::world::World;
use domain::replica::{ReplicaEvent, State};

impl Other {
    /// Does the next call. `None`: it was the last.
    pub(in crate::copying) fn step(self, model: &Model, world: &mut World) -> Option<Self> {
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
