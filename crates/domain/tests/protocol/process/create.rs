//! Beginning an upload: a file at once, a challenge, or an ordinary upload.

use super::finalize::{find_placement, may_be_committed};
use crate::clock::Timer;
use crate::size::Id;
use crate::world::{Challenge, Node, Upload, World};
use crate::writes::{Conflict, NodePlacement, Turn};
use domain::account::QuotaEvent;
use domain::placement::OnConflict;
use domain::proof::LIFETIME;
use domain::upload::{DEFAULT_EXPIRY, State};

/// What the client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wish {
    /// The number that the upload gets.
    pub(crate) upload: Id,
    pub(crate) account: Id,
    pub(crate) name: Id,
    pub(crate) on_conflict: OnConflict,
    pub(crate) announced: Option<Id>,
}

/// A create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Create {
    wish: Wish,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    ReadOwn(Id),
    FindPlacement(Id),
    Share(Id, NodePlacement),
    ReadIndex,
    ReadBlob(Id),
    Write(Option<Id>),
}

impl Wish {
    /// The row of an upload that is open.
    pub(crate) fn row(self, challenge: Option<Challenge>) -> Upload {
        Upload {
            account: self.account,
            name: self.name,
            on_conflict: self.on_conflict,
            size: 1,
            announced: self.announced,
            state: if challenge.is_some() {
                State::ProofRequired
            } else {
                State::Open
            },
            expires: Timer::Running(0),
            lease: None,
            challenge,
            multipart: None,
            discard: None,
            settled: None,
        }
    }
}

impl Create {
    /// After the account's own files were looked through.
    pub(crate) fn begin(world: &World, wish: Wish) -> Self {
        let own = |node: &Node| node.account == wish.account && Some(node.content) == wish.announced;
        let own = world.nodes.iter().flatten().find(|node| own(node));
        let next = match (own, wish.announced) {
            (Some(node), _) => Next::ReadOwn(node.blob),
            (None, Some(_)) => Next::ReadIndex,
            (None, None) => Next::Write(None),
        };
        Self { wish, next }
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let wish = self.wish;
        let usable = |turn: &Turn, blob| {
            turn.world
                .blob_row(blob)
                .is_some_and(|row| row.life().may_be_referenced())
        };
        self.next = match self.next {
            Next::ReadOwn(blob) if usable(turn, blob) => Next::Share(blob, None),
            Next::ReadOwn(_) => Next::ReadIndex,
            Next::FindPlacement(blob) => {
                let place = find_placement(turn, wish.account, wish.name, wish.on_conflict).ok()?;
                Next::Share(blob, place)
            }
            Next::Share(blob, place) => match self.share(turn, blob, place) {
                // The other file was deleted meanwhile: as if there had been none.
                Err(Conflict::BlobGone) => Next::ReadIndex,
                Err(Conflict::NameTaken | Conflict::NodeChanged) if may_be_committed(wish.on_conflict) => {
                    Next::FindPlacement(blob)
                }
                _ => return None,
            },
            Next::ReadIndex => match turn.world.contents[usize::from(wish.announced?)] {
                Some(blob) => Next::ReadBlob(blob),
                None => Next::Write(None),
            },
            Next::ReadBlob(blob) => Next::Write(Some(blob).filter(|blob| usable(turn, *blob))),
            Next::Write(challenge) => {
                let until = Timer::of(LIFETIME, turn.alive);
                let mut row = wish.row(challenge.map(|blob| Challenge { blob, until }));
                row.expires = Timer::of(DEFAULT_EXPIRY, turn.alive);
                if turn
                    .quota(
                        wish.account,
                        QuotaEvent::Take {
                            take: row.size,
                            give: 0,
                        },
                    )
                    .is_ok()
                {
                    turn.world.write_upload(wish.upload, row);
                }
                return None;
            }
        };
        Some(self)
    }

    /// The file at once.
    fn share(&self, turn: &mut Turn, blob: Id, place: NodePlacement) -> Result<(), Conflict> {
        let wish = self.wish;
        let row = Upload {
            state: State::Complete,
            expires: Timer::Over,
            ..wish.row(None)
        };
        let content = wish.announced.ok_or(Conflict::BlobGone)?;
        let file = Node {
            account: wish.account,
            name: wish.name,
            content,
            size: row.size,
            blob,
        };
        let mut after = *turn.world;
        let mut next = Turn {
            world: &mut after,
            ..*turn
        };
        next.refer(blob, place)?;
        next.place(file, place)?;
        next.quota(
            wish.account,
            QuotaEvent::Take {
                take: row.size,
                give: 0,
            },
        )?;
        after.write_upload(wish.upload, row);
        *turn.world = after;
        Ok(())
    }
}
