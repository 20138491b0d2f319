//! Messages, and a worker that copies a blob of one part. How larger ones travel is `copying`.

use crate::clock::Timer;
use crate::size::Id;
use crate::world::Replica;
use crate::writes::Turn;
use domain::replica::STALLED_AFTER;

/// A process that replicates a blob, or requests that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Replicate {
    blob: Id,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    Announce,
    SendAgain,
    Postpone,
    ReadReplica,
    ReadObject,
    Put(Id),
    MarkAvailable,
}

impl Replicate {
    /// There is a new blob: sends the message, where there is a target.
    pub(crate) fn announce(blob: Id, turn: &Turn) -> Option<Self> {
        let wanted = turn.world.replicas[usize::from(blob)].is_some();
        wanted.then_some(Self {
            blob,
            next: Next::Announce,
        })
    }

    /// The sweep, after a replica without progress was read.
    pub(crate) fn send_again(blob: Id) -> Self {
        Self {
            blob,
            next: Next::SendAgain,
        }
    }

    /// A worker, after the blob was read.
    pub(crate) fn work(turn: &Turn, blob: Id) -> Option<Self> {
        let usable = turn.world.blob_row(blob)?.life().may_be_referenced();
        usable.then_some(Self {
            blob,
            next: Next::ReadReplica,
        })
    }

    pub(super) fn step(self, turn: &mut Turn) -> Option<Self> {
        let index = usize::from(self.blob);
        let next = match self.next {
            Next::Announce => {
                turn.world.queue[index] = true;
                return None;
            }
            Next::SendAgain => {
                turn.world.queue[index] = true;
                Next::Postpone
            }
            Next::Postpone => {
                if let Some(Replica::Pending(timer)) = &mut turn.world.replicas[index] {
                    *timer = Timer::of(STALLED_AFTER, turn.alive);
                }
                return None;
            }
            Next::ReadReplica => match turn.world.replicas[index]? {
                Replica::Pending(_) => Next::ReadObject,
                Replica::Available => return None,
            },
            // Without an object the message would come again; the sweep is enough for that.
            Next::ReadObject => Next::Put(turn.world.objects[index]?),
            Next::Put(content) => {
                turn.world.copies[index] = Some(content);
                Next::MarkAvailable
            }
            Next::MarkAvailable => {
                if let Some(replica) = &mut turn.world.replicas[index] {
                    *replica = Replica::Available;
                }
                return None;
            }
        };
        Some(Self { next, ..self })
    }
}
