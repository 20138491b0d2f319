//! How the copying ends, or starts over.

use super::{Call, Then, Turn, Worker};
use crate::copying::model::Model;
use crate::copying::rules::Rule;
use crate::copying::target::MULTIPARTS;
use crate::copying::world::World;
use domain::replica::State;

impl Worker {
    pub(super) fn finish(self, model: &Model, world: &mut World) -> Turn {
        let mine = self.read.multipart;
        let right = world.target.is_right() || !model.keeps(Rule::Verifies);
        match self.call {
            Call::Complete => {
                let completed = world.target.complete(mine, model.all_segments());
                self.goes(Call::Verify { completed })
            }
            Call::Verify { .. } if right => self.verified(model),
            // There is an object, but not the one that was made: the message comes again.
            Call::Verify { completed: true } => Turn::Fails,
            Call::Verify { completed: false } => self.goes(Call::HasMultipart),
            Call::HasMultipart if world.target.has(mine) => Turn::Fails,
            // It may be being completed right now.
            Call::HasMultipart if !self.again && model.tells_again => Turn::Fails,
            Call::HasMultipart => self.goes(Call::ReadSegmentsAnew),
            Call::ReadSegmentsAnew | Call::VerifyAnew | Call::Forget | Call::LookWhoForgot => {
                self.begin_anew(model, world, right)
            }
            _ => self.arrive(model, world),
        }
    }

    fn verified(self, model: &Model) -> Turn {
        if model.is_large() && !model.keeps(Rule::ArrivesFirst) {
            self.goes(Call::List { then: Then::Arrive })
        } else {
            self.goes(Call::Arrive)
        }
    }

    /// The multipart upload is gone. Another worker may have completed it just now.
    fn begin_anew(self, model: &Model, world: &mut World, right: bool) -> Turn {
        let mine = self.read.multipart;
        let forgotten = match self.call {
            Call::ReadSegmentsAnew => {
                let is_all = world.recorded(model, mine).len() == model.segment_count();
                return self.goes(if is_all { Call::VerifyAnew } else { Call::Forget });
            }
            Call::VerifyAnew if right => return self.verified(model),
            Call::VerifyAnew => return self.goes(Call::Forget),
            Call::Forget if !model.keeps(Rule::ForgetsMultiparts) => return Turn::Done,
            Call::Forget if world.forget(mine) => true,
            Call::Forget => return self.goes(Call::LookWhoForgot),
            // The worker that cleared the record begins; but it may have been this one, whose answer got lost.
            _ => world.replica.is_some_and(|row| row.multipart.is_none()),
        };
        // Starting one that was given up would be trying it again without having been asked.
        if forgotten && self.read.state != State::Failed {
            self.goes(Call::SendStart)
        } else {
            self.conclude(model)
        }
    }

    /// Writes down that it is there, and tidies up.
    fn arrive(mut self, model: &Model, world: &mut World) -> Turn {
        match self.call {
            Call::Arrive if world.arrive(model, self.read) => self.arrived(model),
            Call::Arrive => self.goes(Call::ReadToArrive),
            Call::ReadToArrive => match world.replica {
                Some(row) if row.state == State::Available => self.arrived(model),
                // What was verified were other bytes than it waits for now.
                Some(row) if row.since != self.read.since && model.keeps(Rule::PinsSince) => {
                    self.arrived(model)
                }
                Some(row) => {
                    self.read = row;
                    self.goes(Call::Arrive)
                }
                None => self.arrived(model),
            },
            Call::DeleteSegments => {
                world.delete_segments();
                // Other multipart uploads are obsolete: those that a crash kept from being recorded.
                if model.keeps(Rule::AbortsOthers) && model.keeps(Rule::ArrivesFirst) {
                    self.goes(Call::List { then: Then::Nothing })
                } else {
                    Turn::Done
                }
            }
            Call::List { then } => {
                let these = world.target.live();
                if these == [false; MULTIPARTS] {
                    self.aborted(then)
                } else {
                    self.goes(Call::Abort { these, then })
                }
            }
            Call::Abort { these, then } => {
                world.target.abort(these);
                self.aborted(then)
            }
            _ => Turn::Fails,
        }
    }

    fn arrived(self, model: &Model) -> Turn {
        if model.is_large() {
            self.goes(Call::DeleteSegments)
        } else {
            Turn::Done
        }
    }

    fn aborted(self, then: Then) -> Turn {
        match then {
            Then::Arrive => self.goes(Call::Arrive),
            Then::Nothing => Turn::Done,
        }
    }
}
