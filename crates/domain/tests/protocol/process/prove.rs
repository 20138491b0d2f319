//! An answer to a challenge.

use super::finalize::{find_placement, may_be_committed};
use crate::clock::NOW;
use crate::size::Id;
use crate::world::Node;
use crate::writes::{Conflict, Held, NodePlacement, Turn};
use domain::upload::{Refusal, State, UploadEvent};

/// A prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Prove {
    pub(crate) held: Held,
    /// The client has the bytes.
    right: bool,
    blob: Id,
    content: Id,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Next {
    ReadObject,
    FindPlacement,
    Commit(NodePlacement),
    Fail,
}

impl Prove {
    /// After the upload was read.
    pub(crate) fn begin(turn: &Turn, upload: Id, right: bool) -> Option<Self> {
        let row = turn.upload(upload)?;
        let next = match (turn.rules.upload)(&row.lifecycle(), UploadEvent::Prove, NOW) {
            Ok(_) => Next::ReadObject,
            Err(Refusal::NoChallenge) if row.state == State::ProofRequired => Next::Fail,
            Err(_) => return None,
        };
        let (blob, content) = (row.challenge?.blob, row.announced?);
        let held = Held { upload, stale: false };
        Some(Self {
            held,
            right,
            blob,
            content,
            next,
        })
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Self> {
        let row = turn.upload(self.held.upload)?;
        self.next = match self.next {
            Next::ReadObject => {
                let there = turn.world.objects[usize::from(self.blob)];
                let accepted = self.right && there == Some(self.content);
                if accepted { Next::Commit(None) } else { Next::Fail }
            }
            Next::FindPlacement => match find_placement(turn, row.account, row.name, row.on_conflict) {
                Ok(place) => Next::Commit(place),
                Err(_) => Next::Fail,
            },
            Next::Commit(place) => match self.commit(turn, place) {
                Err(Conflict::BlobGone) => Next::Fail,
                Err(Conflict::NameTaken | Conflict::NodeChanged) if may_be_committed(row.on_conflict) => {
                    Next::FindPlacement
                }
                Err(Conflict::NameTaken | Conflict::NodeChanged) => Next::Fail,
                _ => return None,
            },
            Next::Fail => {
                // Another process may have changed it: then that counts.
                let _ = turn.move_upload(&mut self.held, UploadEvent::FailProof, |_, _| Ok(()));
                return None;
            }
        };
        Some(self)
    }

    fn commit(&mut self, turn: &mut Turn, place: NodePlacement) -> Result<(), Conflict> {
        let (blob, content) = (self.blob, self.content);
        turn.move_upload(&mut self.held, UploadEvent::Prove, |turn, row| {
            let file = Node {
                account: row.account,
                name: row.name,
                content,
                size: row.size,
                blob,
            };
            turn.place(file, place)?;
            match turn.refer(blob, place) {
                Err(_) if !turn.rules.conditions.proof_asks_for_blob => {
                    if let Some(row) = &mut turn.world.blobs[usize::from(blob)] {
                        row.references += 1;
                    }
                    Ok(())
                }
                referred => referred,
            }
        })
    }
}
