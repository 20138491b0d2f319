//! Leaving the target alone while its circuit is open, and having what has failed tried again.

use super::{Call, Turn, Worker};
use crate::copying::model::Model;
use crate::copying::queue::Message;
use crate::copying::world::World;
use domain::replica::{ReplicaEvent, State};

impl Worker {
    /// The target's circuit is open.
    pub(super) fn park(mut self, model: &Model, world: &mut World) -> Turn {
        match (self.call, world.replica) {
            (Call::Park, _) if world.park(model) => Turn::Done,
            (Call::Park, _) => self.goes(Call::ReadToPark),
            (Call::RedriveToPark, _) => {
                world.transact(model, ReplicaEvent::Redrive, self.read, |_| ());
                self.goes(Call::Park)
            }
            (_, Some(row)) if row.state == State::Failed && self.message == Message::Start => {
                self.read = row;
                self.goes(Call::RedriveToPark)
            }
            (_, Some(row)) if row.state == State::Failed => self.look(),
            (_, Some(row)) if row.is_under_way() => self.goes(Call::Park),
            // What was left at the target has to wait.
            (_, Some(_)) if self.again => Turn::Fails,
            _ => Turn::Done,
        }
    }

    /// A redrive.
    pub(super) fn redrive(mut self, model: &Model, world: &mut World) -> Turn {
        match (self.call, world.replica) {
            (Call::Redrive, _) if world.transact(model, ReplicaEvent::Redrive, self.read, |_| ()) => {
                self.goes(Call::ReadRedriven)
            }
            (Call::Redrive, _) => self.goes(Call::ReadToRedrive),
            (Call::ReadToRedrive, Some(row)) if row.may_be_redriven(self.read.since) => {
                self.read = row;
                self.goes(Call::Redrive)
            }
            (Call::ReadToRedrive, _) => self.goes(Call::ReadRedriven),
            (_, Some(row)) => {
                self.read = row;
                self.go_on(model)
            }
            (_, None) => Turn::Done,
        }
    }
}
