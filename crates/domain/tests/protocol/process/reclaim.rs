//! The sweep at a blob: keeps it, marks it, or deletes it.

use super::discard::Multiparts;
use crate::clock::NOW;
use crate::size::Id;
use crate::world::Blob;
use crate::writes::Turn;
use domain::blob::{BlobEvent, Effect, Life};

/// A sweep at a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Reclaim {
    pub(crate) blob: Id,
    /// The blob was changed since it was read.
    pub(crate) stale: bool,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    Keep,
    ReadIndex,
    Mark { indexed: bool },
    ReadReplica,
    DeleteCopy,
    List,
    Abort(Multiparts),
    DeleteObject,
    DeleteRows,
    DeleteBlob,
}

impl Reclaim {
    /// After the blob was read.
    pub(crate) fn begin(turn: &Turn, blob: Id) -> Option<Self> {
        let row = turn.world.blob_row(blob).filter(|row| row.examine.is_some())?;
        let (_, effects) = (turn.rules.blob)(&row.life(), BlobEvent::Examine, NOW).ok()?;
        let next = if effects.contains(&Effect::Delete) {
            Next::ReadReplica
        } else if effects.contains(&Effect::FreeContent) {
            Next::ReadIndex
        } else if row.references == 0 {
            Next::Mark { indexed: false }
        } else {
            Next::Keep
        };
        Some(Self {
            blob,
            stale: false,
            next,
        })
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let index = usize::from(self.blob);
        self.next = match self.next {
            Next::Keep => {
                self.mark(turn, false);
                return None;
            }
            Next::ReadIndex => {
                let content = turn.world.blob_row(self.blob)?.content;
                let indexed = turn.world.contents[usize::from(content)] == Some(self.blob);
                Next::Mark { indexed }
            }
            Next::Mark { indexed } => {
                self.mark(turn, indexed);
                return None;
            }
            Next::ReadReplica => match turn.world.replicas[index] {
                Some(_) => Next::DeleteCopy,
                None => Next::List,
            },
            Next::DeleteCopy => {
                turn.world.copies[index] = None;
                Next::List
            }
            Next::List => Multiparts::list(turn, self.blob)
                .if_any()
                .map_or(Next::DeleteObject, Next::Abort),
            Next::Abort(found) => found
                .abort_one(turn, self.blob)
                .map_or(Next::DeleteObject, Next::Abort),
            Next::DeleteObject => {
                turn.world.objects[index] = None;
                Next::DeleteRows
            }
            Next::DeleteRows => {
                turn.world.all_part_digests[index] = None;
                turn.world.upload_owners[index] = false;
                turn.world.replicas[index] = None;
                Next::DeleteBlob
            }
            Next::DeleteBlob => {
                turn.world.blobs[index] = None;
                return None;
            }
        };
        Some(self)
    }

    /// Writes down what was decided when the blob was read, if it still is what it was.
    fn mark(self, turn: &mut Turn, indexed: bool) {
        let Some(row) = turn.world.blob_row(self.blob).copied() else {
            return;
        };
        let mut life = row.life();
        if self.stale {
            if turn.rules.conditions.mark_as_read {
                return;
            }
            // What it was when it was read.
            life = Life {
                references: 0,
                reclaiming: false,
                next_check_at: Some(NOW),
                ..life
            };
        }
        let Ok((next, _)) = (turn.rules.blob)(&life, BlobEvent::Examine, NOW) else {
            return;
        };
        if indexed {
            let place = &mut turn.world.contents[usize::from(row.content)];
            if *place != Some(self.blob) {
                return;
            }
            *place = None;
        }
        let next = Blob {
            references: row.references,
            ..row.moved_to(&next, turn.alive)
        };
        turn.world.write_blob(self.blob, next);
    }
}
