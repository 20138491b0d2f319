//! Discarding what an ended upload left at the store.

use crate::clock::Timer;
use crate::size::{Id, MULTIPARTS};
use crate::world::Multipart;
use crate::writes::{Held, Turn};

/// A process that discards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Discard {
    pub(crate) held: Held,
    next: Next,
    /// When it began, what was under way at the upload's end was over.
    last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    List,
    Abort(Multiparts),
    AskForBlob,
    DeleteObject,
    DeleteRows,
    Write,
}

/// Multipart uploads of a key, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Multiparts(u8);

impl Multiparts {
    /// Those under way.
    pub(crate) fn list(turn: &Turn, key: Id) -> Self {
        let all = turn.world.multiparts[usize::from(key)].iter().enumerate();
        let live = all.filter(|(_, multipart)| matches!(multipart, Multipart::Live(_)));
        Self(live.fold(0, |bits, (id, _)| bits | 1 << id))
    }

    /// Aborts the first. Returns the others, if there are any.
    pub(crate) fn abort_one(self, turn: &mut Turn, key: Id) -> Option<Self> {
        let id = (0..MULTIPARTS).find(|id| self.0 & 1 << id != 0)?;
        abort(turn, key, id);
        Self(self.0 & !(1 << id)).if_any()
    }

    pub(crate) fn if_any(self) -> Option<Self> {
        (self.0 != 0).then_some(self)
    }
}

/// Aborts a multipart upload. One that is not there is as good as aborted.
pub(crate) fn abort(turn: &mut Turn, key: Id, id: usize) {
    let multipart = &mut turn.world.multiparts[usize::from(key)][id];
    if let Multipart::Live(_) = multipart {
        *multipart = Multipart::Aborted;
        turn.world.ages[usize::from(key)][id] = None;
    }
}

impl Discard {
    /// Of an ended upload that was read or written just now.
    pub(crate) fn begin(held: Held) -> Self {
        Self {
            held,
            next: Next::List,
            last: false,
        }
    }

    pub(super) fn repeats(self) -> bool {
        self.next == Next::Write
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let key = self.held.upload;
        let index = usize::from(key);
        self.next = match self.next {
            Next::List => {
                self.last = self.is_settled(turn);
                Multiparts::list(turn, key)
                    .if_any()
                    .map_or(Next::AskForBlob, Next::Abort)
            }
            Next::Abort(found) => found.abort_one(turn, key).map_or(Next::AskForBlob, Next::Abort),
            Next::AskForBlob if turn.world.blobs[index].is_none() => Next::DeleteObject,
            Next::AskForBlob if !turn.rules.conditions.discard_asks_for_blob => Next::DeleteObject,
            Next::AskForBlob => Next::Write,
            Next::DeleteObject => {
                turn.world.objects[index] = None;
                Next::DeleteRows
            }
            Next::DeleteRows => {
                turn.world.all_part_digests[index] = None;
                turn.world.upload_owners[index] = false;
                Next::Write
            }
            Next::Write => {
                let late = !turn.rules.conditions.discard_looks_at_clock_first;
                self.last |= late && self.is_settled(turn);
                turn.discarded(&mut self.held, self.last);
                return None;
            }
        };
        Some(self)
    }

    fn is_settled(self, turn: &Turn) -> bool {
        let settled = turn.upload(self.held.upload).and_then(|row| row.settled);
        settled.is_none_or(|settled| settled == Timer::Over)
    }
}
