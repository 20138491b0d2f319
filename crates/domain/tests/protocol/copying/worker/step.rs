//! What a worker does with a message, call by call.

use super::{Call, Turn, Worker};
use crate::copying::model::Model;
use crate::copying::queue::Message;
use crate::copying::replica::Replica;
use crate::copying::rules::Rule;
use crate::copying::world::World;
use domain::replica::{Next, State, next};

impl Worker {
    /// After the circuit, the blob and the replica were read.
    pub(in crate::copying) fn on(message: Message, again: bool, model: &Model, world: &World) -> Turn {
        let worker = Self {
            message,
            again,
            read: Replica::NEW,
            call: Call::Recheck,
        };
        if world.open {
            // The target is not asked for anything.
            return worker.goes(Call::Park);
        }
        if world.marked && model.keeps(Rule::LeavesMarkedAlone) {
            worker.look()
        } else {
            worker.begin(model, world)
        }
    }

    pub(in crate::copying) fn give_up(self, model: &Model) -> Self {
        self.to(if model.keeps(Rule::FailsBeforeLetter) {
            Call::ReadToGiveUp { since: None }
        } else {
            Call::SendLetterFirst
        })
    }

    /// Its message may be the dead letter, which an operator moved back into the queue.
    pub(super) fn may_be_letter(&self, model: &Model) -> bool {
        self.message == Message::Start && model.keeps(Rule::StartsMayBeLetters)
    }

    /// Nothing is left to be done for the message.
    pub(super) fn conclude(self, model: &Model) -> Turn {
        if model.keeps(Rule::LooksAfterwards) {
            self.look()
        } else {
            Turn::Done
        }
    }

    /// The replica was read.
    fn begin(mut self, model: &Model, world: &World) -> Turn {
        let Some(row) = world.replica else {
            return Turn::Done;
        };
        self.read = row;
        let failed = row.state == State::Failed;
        match self.message {
            _ if row.state == State::Available => self.look(),
            Message::Copy(segment) if row.multipart.is_some() => self.goes(Call::HasSegment(segment)),
            Message::Start if failed && model.keeps(Rule::StartRedrives) => self.goes(Call::Redrive),
            // A straggler.
            _ if failed && row.multipart.is_none() => self.look(),
            _ => self.go_on(model),
        }
    }

    pub(super) fn go_on(self, model: &Model) -> Turn {
        if self.read.multipart.is_some() {
            self.goes(Call::ReadSegments)
        } else {
            self.advance(model, &[])
        }
    }

    /// What comes next, by the domain.
    fn advance(self, model: &Model, recorded: &[u32]) -> Turn {
        let begun = self.read.multipart.is_some();
        match next(self.read.state, &model.plan, begun, recorded) {
            Next::Nothing => self.conclude(model),
            Next::PutWhole => self.goes(Call::PutWhole),
            Next::BeginMultipart => self.goes(Call::Begin),
            Next::Copy(missing) => {
                let wanted =
                    |segment: usize| missing.iter().any(|other| usize::try_from(*other) == Ok(segment));
                self.goes(Call::SendCopies(std::array::from_fn(wanted)))
            }
            Next::Finish => self.goes(Call::Complete),
        }
    }

    /// Does the next call.
    pub(in crate::copying) fn step(self, model: &Model, world: &mut World) -> Turn {
        match self.call {
            Call::Park | Call::ReadToPark | Call::RedriveToPark => self.park(model, world),
            Call::Redrive | Call::ReadToRedrive | Call::ReadRedriven => self.redrive(model, world),
            Call::ReadSegments => self.advance(model, &world.recorded(model, self.read.multipart)),
            Call::PutWhole => {
                world.target.put_whole();
                self.goes(Call::Verify { completed: true })
            }
            Call::Begin | Call::RecordBegin(_) | Call::LookWhoBegan(_) | Call::AbortOwn(_) => {
                self.begin_multipart(model, world)
            }
            Call::SendCopies(wanted) => {
                for (segment, _) in (0..).zip(wanted).filter(|(_, wanted)| *wanted) {
                    world.queue.send(Message::Copy(segment));
                }
                self.conclude(model)
            }
            Call::HasSegment(_) | Call::PutSegment(_) | Call::RecordSegment(_) | Call::Count => {
                self.copy(model, world)
            }
            Call::SendFinish => {
                world.queue.send(Message::Finish);
                self.conclude(model)
            }
            Call::SendStart => {
                world.queue.send(Message::Start);
                self.conclude(model)
            }
            Call::Recheck
            | Call::ReadToGiveUp { .. }
            | Call::GiveUp
            | Call::SendLetterFirst
            | Call::SendLetter { .. }
            | Call::DeadLetter { .. } => self.end(model, world),
            _ => self.finish(model, world),
        }
    }
}
