//! Giving up, and looking at how it ended.

use super::{Call, Then, Turn, Worker};
use crate::copying::model::Model;
use crate::copying::replica::Replica;
use crate::copying::rules::Rule;
use crate::copying::world::World;
use domain::replica::{ReplicaEvent, State};

impl Worker {
    pub(super) fn end(mut self, model: &Model, world: &mut World) -> Turn {
        match (self.call, world.replica) {
            (Call::ReadToGiveUp { since }, Some(row))
                if row.is_under_way() && since.is_none_or(|since| row.since == since) =>
            {
                self.read = row;
                self.goes(Call::GiveUp)
            }
            (Call::ReadToGiveUp { .. }, Some(row)) => {
                // The failure is noted all the same.
                if row.state != State::Available {
                    world.touch();
                }
                self.goes(Call::Recheck)
            }
            (Call::Recheck, Some(row)) => self.look_at(model, row),
            (Call::ReadToGiveUp { .. } | Call::Recheck, None) => Turn::Done,
            (Call::GiveUp, _) if !world.transact(model, ReplicaEvent::GiveUp, self.read, |_| ()) => {
                let since = model.keeps(Rule::PinsSince).then_some(self.read.since);
                self.goes(Call::ReadToGiveUp { since })
            }
            (Call::GiveUp, _) if !model.keeps(Rule::FailsBeforeLetter) => Turn::Done,
            (Call::GiveUp, _) => self.goes(Call::Recheck),
            (Call::SendLetterFirst, _) => {
                world.letters = true;
                self.goes(Call::ReadToGiveUp { since: None })
            }
            (Call::DeadLetter { same }, _) => {
                world.dead_letter(model, same);
                Turn::Done
            }
            (Call::SendLetter { same }, _) => {
                world.letters = true;
                self.goes(Call::DeadLetter { same })
            }
            _ => Turn::Fails,
        }
    }

    /// A worker that checks it, and did not read before that it has failed, has a message that was tried before.
    fn look_at(self, model: &Model, row: Replica) -> Turn {
        let sends = !self.again || model.keeps(Rule::LetterIfAgain);
        let sends = sends && (!row.dead_lettered || self.may_be_letter(model));
        match row.state {
            State::Failed if sends => self.goes(Call::SendLetter { same: true }),
            State::Available if model.is_large() && model.keeps(Rule::AbortsIfAvailable) => {
                self.goes(Call::List { then: Then::Nothing })
            }
            _ => Turn::Done,
        }
    }
}
