//! The reconciler at a key: its multipart uploads, its object, its blob. What it makes of them is the domain's.

use super::discard::abort;
use crate::clock::{NOW, Timer};
use crate::size::{Id, MULTIPARTS, UPLOADS};
use crate::world::{Multipart, World};
use crate::writes::Turn;
use domain::blob::BlobEvent;
use domain::reconcile::{
    Age, Checksum, Found, Ownership, UploadOwner, examine, multipart_is_orphaned, object_is_orphaned,
    upload_owner_is_obsolete,
};
use jiff::{SignedDuration, Timestamp};

/// A reconciler at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Reconcile {
    pub(crate) key: Id,
    /// The blob was changed since it was read.
    pub(crate) stale: bool,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    ReadUploadOwner(Thing),
    ReadUpload(Thing),
    AskForBlob(Thing, Owner),
    Abort(Id),
    DeleteObject,
    DeleteRows,
    DeleteUploadOwner,
    Head,
    Lose,
}

/// What it looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Thing {
    Multipart(Id),
    Object,
    UploadOwner,
}

/// [`UploadOwner`], in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Nobody,
    Unfinished(Option<Id>),
    Ended,
}

impl Owner {
    fn upload_owner(self) -> UploadOwner {
        match self {
            Self::Nobody => UploadOwner::Nobody,
            Self::Unfinished(multipart) => UploadOwner::Unfinished {
                multipart_id: multipart.map(|id| id.to_string()),
            },
            Self::Ended => UploadOwner::Ended {
                at: Some(Timestamp::MIN),
            },
        }
    }
}

/// Everything but a multipart upload may look old at once.
const AGE: Age = Age {
    now: NOW,
    min: SignedDuration::ZERO,
};

impl Reconcile {
    /// After the bucket or the table was listed: a process for one of the things at a key.
    pub(crate) fn all(world: &World, key: Id) -> Vec<Self> {
        let index = usize::from(key);
        let process = |next| Self {
            key,
            stale: false,
            next,
        };
        let mut found = Vec::new();
        for (id, multipart) in (0..).zip(world.multiparts[index]) {
            let old = world.ages[index][usize::from(id)].is_none_or(|age| age == Timer::Over);
            if matches!(multipart, Multipart::Live(_)) && old {
                found.push(process(Next::ReadUploadOwner(Thing::Multipart(id))));
            }
        }
        let is_blob = world.blobs[index].is_some();
        if world.objects[index].is_some() && !is_blob {
            found.push(process(Next::ReadUploadOwner(Thing::Object)));
        }
        if world.upload_owners[index] && !is_blob {
            found.push(process(Next::ReadUpload(Thing::UploadOwner)));
        }
        if is_blob {
            found.push(process(Next::Head));
        }
        found
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let index = usize::from(self.key);
        self.next = match self.next {
            Next::ReadUploadOwner(thing) if turn.world.upload_owners[index] => Next::ReadUpload(thing),
            Next::ReadUploadOwner(thing) => self.owned(thing, Owner::Nobody)?,
            Next::ReadUpload(thing) => {
                let owner = match turn.upload(self.key) {
                    None => Owner::Nobody,
                    Some(row) if row.state.is_final() => Owner::Ended,
                    Some(row) => Owner::Unfinished(row.multipart),
                };
                self.owned(thing, owner)?
            }
            Next::AskForBlob(thing, owner) => {
                // When it was listed, it was none.
                let asked = turn.rules.conditions.reconciler_asks_for_blob_last;
                let is_blob = asked && turn.world.blobs[index].is_some();
                let ownership = Ownership {
                    upload_owner: owner.upload_owner(),
                    is_blob,
                };
                match thing {
                    Thing::Object if object_is_orphaned(&ownership, Timestamp::MIN, &AGE) => {
                        Next::DeleteObject
                    }
                    Thing::UploadOwner if upload_owner_is_obsolete(&ownership, &AGE) => Next::DeleteRows,
                    _ => return None,
                }
            }
            Next::Abort(id) => {
                abort(turn, self.key, usize::from(id));
                return None;
            }
            Next::DeleteObject => {
                turn.world.objects[index] = None;
                Next::DeleteRows
            }
            Next::DeleteRows => {
                turn.world.all_part_digests[index] = None;
                Next::DeleteUploadOwner
            }
            Next::DeleteUploadOwner => {
                turn.world.upload_owners[index] = false;
                return None;
            }
            Next::Head => {
                let row = turn.world.blob_row(self.key)?;
                let found = match turn.world.objects[index] {
                    None => Found::Nothing,
                    Some(content) if content == row.content => Found::Object {
                        size: 1,
                        checksum: Checksum::Same,
                    },
                    Some(_) => Found::Object {
                        size: 1,
                        checksum: Checksum::Other,
                    },
                };
                // An object that is gone was read after the blob; whether the blob still is what it was is a
                // condition.
                let event = examine(&row.life(), 1, found)?;
                if event != BlobEvent::Lose {
                    return None;
                }
                Next::Lose
            }
            Next::Lose => {
                if !self.stale {
                    let _ = turn.move_blob(self.key, BlobEvent::Lose);
                }
                return None;
            }
        };
        Some(self)
    }

    /// What comes after the owner was read.
    fn owned(self, thing: Thing, owner: Owner) -> Option<Next> {
        let Thing::Multipart(id) = thing else {
            return Some(Next::AskForBlob(thing, owner));
        };
        debug_assert!(usize::from(id) < MULTIPARTS && usize::from(self.key) < UPLOADS);
        multipart_is_orphaned(&owner.upload_owner(), &id.to_string(), Timestamp::MIN, &AGE)
            .then_some(Next::Abort(id))
    }
}
