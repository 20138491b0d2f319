//! The short requests: sign parts, abort, delete a file. And the sweep at an upload that is too old, which is an
//! abort by another name.

use super::discard::{Discard, abort};
use crate::clock::{MIN_AGE, NOW, Timer};
use crate::size::{Id, MULTIPARTS};
use crate::world::{Multipart, Upload};
use crate::writes::{Conflict, Held, Turn};
use domain::account::QuotaEvent;
use domain::upload::{DEFAULT_EXPIRY, State, UploadEvent};

/// The client lists the parts. Where the store has none of an open upload, it may start over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ListParts {
    pub(crate) held: Held,
    multipart: Id,
    next: See,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum See {
    Parts,
    PartDigests,
    Object(Id),
    Forget,
}

impl ListParts {
    /// After the upload was read.
    pub(crate) fn begin(turn: &Turn, upload: Id) -> Option<Self> {
        let row = turn.upload(upload).filter(|row| row.state == State::Open)?;
        let held = Held { upload, stale: false };
        Some(Self {
            held,
            multipart: row.multipart?,
            next: See::Parts,
        })
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let index = usize::from(self.held.upload);
        self.next = match self.next {
            See::Parts => match turn.world.multiparts[index][usize::from(self.multipart)] {
                Multipart::Live(_) => return None,
                _ => See::PartDigests,
            },
            See::PartDigests => turn.world.all_part_digests[index].map_or(See::Forget, See::Object),
            See::Object(content) if turn.world.objects[index] == Some(content) => return None,
            See::Object(_) => See::Forget,
            See::Forget => {
                if let Some(row) = turn.upload(self.held.upload).filter(|_| !self.held.stale) {
                    turn.world.write_upload(
                        self.held.upload,
                        Upload {
                            multipart: None,
                            ..row
                        },
                    );
                }
                return None;
            }
        };
        Some(self)
    }
}

/// The client is about to send parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sign {
    pub(crate) held: Held,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    Begin,
    Record(Option<Id>),
    LookAgain(Id),
    Abort(Id),
}

impl Sign {
    const TOUCH: UploadEvent = UploadEvent::Touch(DEFAULT_EXPIRY);

    /// After the upload was read.
    pub(crate) fn begin(turn: &Turn, upload: Id) -> Option<Self> {
        let row = turn.upload(upload)?;
        (turn.rules.upload)(&row.lifecycle(), Self::TOUCH, NOW).ok()?;
        let next = match row.multipart {
            None => Next::Begin,
            Some(_) if row.state == State::ProofRequired => Next::Record(row.multipart),
            Some(_) => return None,
        };
        let held = Held { upload, stale: false };
        Some(Self { held, next })
    }

    /// Beginning twice leaves an unrecorded multipart upload; as many as the world has room for.
    pub(super) fn repeats(self) -> bool {
        self.next == Next::Begin
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let key = self.held.upload;
        self.next = match self.next {
            Next::Begin => {
                let multiparts = &mut turn.world.multiparts[usize::from(key)];
                let id = multiparts
                    .iter()
                    .position(|multipart| *multipart == Multipart::Unused)?;
                multiparts[id] = Multipart::Live(None);
                if turn.world.reconciled {
                    turn.world.ages[usize::from(key)][id] = Some(Timer::of(MIN_AGE, turn.alive));
                }
                Next::Record(u8::try_from(id).ok())
            }
            Next::Record(multipart) => {
                let record = |turn: &mut Turn, row: &mut Upload| {
                    row.multipart = multipart;
                    turn.world.upload_owners[usize::from(key)] = true;
                    Ok(())
                };
                match turn.move_upload(&mut self.held, Self::TOUCH, record) {
                    // It was refused: there is no way to know why without looking.
                    Err(Conflict::UploadChanged) => Next::LookAgain(multipart?),
                    _ => return None,
                }
            }
            Next::LookAgain(multipart) => match turn.upload(key) {
                Some(row) if row.multipart == Some(multipart) => return None,
                _ => Next::Abort(multipart),
            },
            Next::Abort(multipart) => {
                abort(turn, key, usize::from(multipart));
                return None;
            }
        };
        Some(self)
    }
}

/// The client aborts an upload, or the sweep lets it expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Abort {
    pub(crate) held: Held,
}

impl Abort {
    /// After the upload was read.
    pub(crate) fn begin(upload: Id) -> Self {
        Self {
            held: Held { upload, stale: false },
        }
    }

    pub(super) fn step(mut self, event: UploadEvent, turn: &mut Turn) -> Option<Discard> {
        turn.move_upload(&mut self.held, event, |_, _| Ok(())).ok()?;
        Some(Discard::begin(self.held))
    }
}

/// The client deletes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Delete {
    node: Id,
    blob: Id,
    size: u64,
}

impl Delete {
    /// After the file was read.
    pub(crate) fn begin(turn: &Turn, node: Id) -> Option<Self> {
        let row = turn.world.nodes[usize::from(node)]?;
        Some(Self {
            node,
            blob: row.blob,
            size: row.size,
        })
    }

    pub(super) fn step(self, turn: &mut Turn) -> Option<Self> {
        let unchecked = !turn.rules.conditions.delete_of_content;
        let mut after = *turn.world;
        let mut next = Turn {
            world: &mut after,
            ..*turn
        };
        let row = next.world.nodes[usize::from(self.node)].take()?;
        if row.blob == self.blob || unchecked {
            next.quota(row.account, QuotaEvent::Give(self.size)).ok()?;
            next.release(self.blob).ok()?;
            *turn.world = after;
        }
        None
    }
}

const _: () = assert!(MULTIPARTS <= 8);
