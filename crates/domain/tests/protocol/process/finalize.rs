//! Finalizing: the flow is the domain's; what each of its steps asks of the table and the store is here.

use super::discard::Discard;
use super::replicate::Replicate;
use crate::clock::{TIMEOUT, Timer};
use crate::size::Id;
use crate::world::{Blob, Multipart, Node, Replica, World};
use crate::writes::{Completed, Conflict, Held, NodePlacement, Turn};
use domain::finalize::{End, ReopenReason, Step, StepResult};
use domain::placement::{OnConflict, Placement, Taken, place};
use domain::replica::STALLED_AFTER;
use domain::upload::{ContentSource, Refusal, UploadEvent};

/// A finalize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Finalize {
    pub(crate) held: Held,
    step: Step,
    call: Call,
    /// What the parts or the object are.
    content: Id,
    /// The blob that has the content.
    blob: Id,
    multipart: Option<Id>,
    place: NodePlacement,
}

/// Which call of a step is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call {
    First,
    ReadPartDigests,
    Head,
    ReadBlob,
    FindPlacement,
}

/// The result of a call.
enum Asked {
    /// The answer to the step.
    Answer(StepResult),
    /// The step takes another call.
    NotYet,
    /// An error: the function gives up.
    Failed,
}

impl From<StepResult> for Asked {
    fn from(answer: StepResult) -> Self {
        Self::Answer(answer)
    }
}

/// The process that goes on after a call.
pub(super) enum Following {
    /// The finalize itself.
    Finalize(Finalize),
    /// The message of a blob that is new.
    Replicate(Replicate),
    /// The discard of an upload whose content was there.
    Discard(Discard),
}

/// A request to complete a multipart upload that the store accepted, but whose caller has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Late {
    key: Id,
    multipart: Id,
    content: Id,
}

impl Late {
    pub(super) fn step(self, turn: &mut Turn) -> Option<Self> {
        let key = usize::from(self.key);
        // It had begun when the multipart upload was aborted: it may still succeed.
        if turn.world.multiparts[key][usize::from(self.multipart)] == Multipart::Aborted {
            turn.world.objects[key] = Some(self.content);
        } else {
            turn.complete_multipart(self.key, self.multipart, self.content);
        }
        None
    }
}

impl Finalize {
    /// After the upload was read.
    pub(crate) fn begin(turn: &Turn, upload: Id) -> Option<Self> {
        let ended = turn.upload(upload)?.state.is_final();
        let begun = Self {
            held: Held { upload, stale: false },
            step: Step::START,
            call: Call::First,
            content: 0,
            blob: 0,
            multipart: None,
            place: None,
        };
        (!ended).then_some(begun)
    }

    /// The store takes the request to complete the multipart upload, but does not answer in time.
    pub(crate) fn unanswered(&self, world: &World) -> Option<Late> {
        let (key, content) = (self.held.upload, self.content);
        let multipart = self.multipart.filter(|_| self.step == Step::Assemble)?;
        let taken =
            world.multiparts[usize::from(key)][usize::from(multipart)] == Multipart::Live(Some(content));
        if !taken {
            return None;
        }
        Some(Late {
            key,
            multipart,
            content,
        })
    }

    pub(super) fn repeats(&self) -> bool {
        matches!(self.step, Step::Lease | Step::Assemble | Step::Reopen(_))
    }

    pub(super) fn step(mut self, turn: &mut Turn) -> Option<Following> {
        match self.ask(turn) {
            Asked::Answer(answer) => self.answered(answer, turn),
            Asked::NotYet => Some(Following::Finalize(self)),
            Asked::Failed => None,
        }
    }

    fn answered(mut self, answer: StepResult, turn: &mut Turn) -> Option<Following> {
        let Some(next) = (turn.rules.finalize)(self.step, answer) else {
            turn.world.faults.corrupt = true;
            return None;
        };
        let commits = self.step.commits();
        (self.step, self.call, self.place) = (next, Call::First, None);
        match (next, commits) {
            (Step::End(End::Complete), Some(ContentSource::Own)) => {
                Replicate::announce(self.held.upload, turn).map(Following::Replicate)
            }
            (Step::End(End::Complete), _) => Some(Following::Discard(Discard::begin(self.held))),
            (Step::End(_), _) => None,
            // That takes no call.
            (Step::ListParts, _) if self.multipart.is_none() => self.answered(StepResult::Nothing, turn),
            _ => Some(Following::Finalize(self)),
        }
    }

    /// Does the next call.
    fn ask(&mut self, turn: &mut Turn) -> Asked {
        match self.step {
            Step::Lease => self.lease(turn).into(),
            Step::ListParts => self.look(turn),
            Step::WritePartDigests => self.write_part_digests(turn).into(),
            Step::FindBlob | Step::FindWinner => self.find_blob(turn),
            Step::Assemble => {
                let multipart = self.multipart.unwrap_or_default();
                let completed = turn.complete_multipart(self.held.upload, multipart, self.content);
                Asked::Answer(match completed {
                    Completed::Done => StepResult::Done,
                    Completed::PartsChanged => StepResult::PartsChanged,
                    Completed::NoSuchUpload => StepResult::Nothing,
                })
            }
            Step::FindObject => self.head(turn),
            Step::Share | Step::Own | Step::ShareWinner => self.commit(turn),
            Step::Reopen(why) => self.reopen(turn, why).into(),
            Step::End(_) => Asked::Failed,
        }
    }

    fn lease(&mut self, turn: &mut Turn) -> StepResult {
        match turn.move_upload(&mut self.held, UploadEvent::Lease(TIMEOUT), |_, _| Ok(())) {
            Ok(()) => {
                self.multipart = turn.upload(self.held.upload).and_then(|row| row.multipart);
                StepResult::Done
            }
            Err(Conflict::Refused(Refusal::Held(_))) => StepResult::Held,
            Err(_) => StepResult::Changed,
        }
    }

    fn look(&mut self, turn: &mut Turn) -> Asked {
        let (key, multipart) = (usize::from(self.held.upload), self.multipart.unwrap_or_default());
        match self.call {
            Call::First => match turn.world.multiparts[key][usize::from(multipart)] {
                Multipart::Live(None) => StepResult::Missing.into(),
                Multipart::Live(Some(content)) => {
                    self.content = content;
                    self.compared(turn, StepResult::Parts)
                }
                Multipart::Unused | Multipart::Completed | Multipart::Aborted => {
                    self.call = Call::ReadPartDigests;
                    Asked::NotYet
                }
            },
            Call::ReadPartDigests => match turn.world.all_part_digests[key] {
                Some(content) => {
                    (self.content, self.call) = (content, Call::Head);
                    Asked::NotYet
                }
                None => StepResult::Nothing.into(),
            },
            _ => match self.head(turn) {
                Asked::Answer(StepResult::Object) => self.compared(turn, StepResult::Object),
                other => other,
            },
        }
    }

    /// With what was announced.
    fn compared(&self, turn: &Turn, same: StepResult) -> Asked {
        let announced = turn.upload(self.held.upload).and_then(|row| row.announced);
        let is_same = announced.is_none_or(|announced| announced == self.content);
        Asked::Answer(if is_same { same } else { StepResult::OtherContent })
    }

    fn head(&self, turn: &mut Turn) -> Asked {
        match turn.world.objects[usize::from(self.held.upload)] {
            Some(content) if content == self.content => StepResult::Object.into(),
            Some(_) if !turn.rules.conditions.object_tells_content => StepResult::Object.into(),
            Some(_) if turn.rules.conditions.other_object_is_none => StepResult::Nothing.into(),
            // A process that has slept may find what others made, and gives up. The holder of the lease must not.
            Some(_) => {
                turn.world.faults.corrupt |= !self.held.stale;
                Asked::Failed
            }
            None => StepResult::Nothing.into(),
        }
    }

    fn write_part_digests(&self, turn: &mut Turn) -> StepResult {
        if self.held.stale && turn.rules.conditions.part_digests_under_lease {
            return StepResult::Changed;
        }
        turn.world.all_part_digests[usize::from(self.held.upload)] = Some(self.content);
        StepResult::Done
    }

    fn find_blob(&mut self, turn: &mut Turn) -> Asked {
        if self.call == Call::First {
            let Some(blob) = turn.world.contents[usize::from(self.content)] else {
                return StepResult::NotFound.into();
            };
            (self.blob, self.call) = (blob, Call::ReadBlob);
            return Asked::NotYet;
        }
        let row = turn.world.blob_row(self.blob);
        let usable = row.is_some_and(|blob| blob.life().may_be_referenced());
        Asked::Answer(if usable {
            StepResult::Found
        } else {
            StepResult::NotFound
        })
    }

    /// The transaction that makes the file, tried again where the place is not what it was thought to be.
    fn commit(&mut self, turn: &mut Turn) -> Asked {
        let (Some(row), Some(whose)) = (turn.upload(self.held.upload), self.step.commits()) else {
            return Asked::Failed;
        };
        if self.call == Call::FindPlacement {
            self.call = Call::First;
            return match find_placement(turn, row.account, row.name, row.on_conflict) {
                Ok(place) => {
                    self.place = place;
                    Asked::NotYet
                }
                Err(_) => StepResult::NoPlacement.into(),
            };
        }
        let (own, content, place) = (self.held.upload, self.content, self.place);
        let blob = if whose == ContentSource::Own {
            own
        } else {
            self.blob
        };
        let file = Node {
            account: row.account,
            name: row.name,
            content,
            size: row.size,
            blob,
        };
        let made = turn.move_upload(&mut self.held, UploadEvent::Commit(whose), |turn, _| {
            match whose {
                ContentSource::Own => create_blob(turn, own, content)?,
                ContentSource::Shared => turn.refer(blob, place)?,
            }
            turn.place(file, place)
        });
        match made {
            Ok(()) => StepResult::Done.into(),
            Err(Conflict::BlobGone) => StepResult::BlobGone.into(),
            Err(Conflict::ContentExists) => StepResult::ContentExists.into(),
            Err(Conflict::NameTaken | Conflict::NodeChanged) if may_be_committed(row.on_conflict) => {
                self.call = Call::FindPlacement;
                Asked::NotYet
            }
            Err(Conflict::NameTaken | Conflict::NodeChanged) => StepResult::NoPlacement.into(),
            Err(Conflict::UploadChanged) => StepResult::Changed.into(),
            Err(Conflict::Refused(_) | Conflict::NoRoom) => Asked::Failed,
        }
    }

    fn reopen(&mut self, turn: &mut Turn, why: ReopenReason) -> StepResult {
        let reopened = turn.move_upload(&mut self.held, UploadEvent::Release, |_, row| {
            if why == ReopenReason::PartsGone {
                row.multipart = None;
            }
            Ok(())
        });
        reopened.map_or(StepResult::Changed, |()| StepResult::Done)
    }
}

/// Whether a file can go where another one is.
pub(super) fn may_be_committed(on_conflict: OnConflict) -> bool {
    place(on_conflict, Some(Taken::ByFile)) == Placement::Replace
}

/// Reads what has the name. Names with numbers are not modelled: they are free names.
pub(super) fn find_placement(
    turn: &Turn,
    account: Id,
    name: Id,
    wish: OnConflict,
) -> Result<NodePlacement, Conflict> {
    let there = turn.world.node_named(account, name);
    match place(wish, there.map(|_| Taken::ByFile)) {
        Placement::Insert => Ok(None),
        Placement::Replace => {
            let id = there.ok_or(Conflict::NodeChanged)?;
            let blob = turn.world.nodes[id].as_ref().map(|node| node.blob);
            Ok(blob.map(|blob| (u8::try_from(id).unwrap_or_default(), blob)))
        }
        Placement::Rename | Placement::Refuse => Err(Conflict::NameTaken),
    }
}

/// The writes that bring a blob into being with one reference.
fn create_blob(turn: &mut Turn, id: Id, content: Id) -> Result<(), Conflict> {
    let index = &mut turn.world.contents[usize::from(content)];
    if index.is_some() || turn.world.blobs[usize::from(id)].is_some() {
        return Err(Conflict::ContentExists);
    }
    *index = Some(id);
    turn.world.write_blob(id, Blob::new(content));
    if turn.world.has_target {
        let stalled = Timer::of(STALLED_AFTER, turn.alive);
        turn.world.replicas[usize::from(id)] = Some(Replica::Pending(stalled));
    }
    Ok(())
}
