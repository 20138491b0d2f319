//! What may happen next in a world, and its result.

use super::model::Model;
use super::others::Other;
use super::queue::{MESSAGES, Message};
use super::rules::Rule;
use super::target::MULTIPARTS;
use super::worker::{Turn, Worker};
use super::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A worker gets a message. `stays`: and another one will.
    Deliver {
        message: Message,
        again: bool,
        stays: bool,
    },
    /// A message is never seen again.
    Vanish {
        message: Message,
        again: bool,
    },
    Step(usize),
    /// The call has its effect twice; what is seen is the answer to the second.
    Repeat(usize),
    /// The target makes something else of what it gets.
    Corrupt(usize),
    /// The worker is killed, or its attempt fails: its message comes again.
    Die(usize),
    /// Its attempt fails through no fault of the target's: its message is sent as a new one, as if it had not been tried.
    SendAnew(usize),
    /// Its attempt fails, and was the last.
    GiveUp(usize),
    /// The sweep takes a message for lost.
    Sweep,
    /// The target's circuit opens.
    Open,
    Close,
    /// The scan for replicas that wait without a message finds it.
    Feed,
    Forget,
    LoseObject,
    Mark,
    Remove,
    Reconcile,
    /// A redrive: with the dead letters, or from the table alone.
    Redrive {
        letters: bool,
    },
    /// The same, by moving a dead letter back into the queue.
    MoveBack,
    StepOther(usize),
    OtherDies(usize),
}

impl Model {
    /// The world after something happened.
    pub(super) fn after(&self, world: &World, action: Action) -> World {
        let mut next = *world;
        match action {
            Action::Deliver {
                message,
                again,
                stays,
            } => {
                next.queue.take(message, again);
                if stays {
                    self.comes_again(&mut next, message);
                }
                let worker = Worker::on(message, again && self.tells_again, self, world);
                let place = next.workers.iter_mut().find(|worker| worker.is_none());
                if let (Turn::Goes(worker), Some(place)) = (worker, place) {
                    *place = Some(worker);
                }
            }
            Action::Vanish { message, again } => next.queue.take(message, again),
            Action::Step(slot) => self.step(&mut next, slot),
            Action::Repeat(slot) => {
                let worker = next.workers[slot];
                self.step(&mut next, slot);
                next.workers[slot] = worker;
                self.step(&mut next, slot);
            }
            Action::Corrupt(slot) => {
                next.troubles.corrupts -= 1;
                let before = next.target;
                self.step(&mut next, slot);
                next.target.corrupt(&before);
            }
            Action::Die(slot) => {
                if let Some(worker) = next.workers[slot].take() {
                    self.comes_again(&mut next, worker.message);
                }
            }
            Action::SendAnew(slot) => {
                if let Some(worker) = next.workers[slot].take() {
                    next.queue.send(worker.message);
                }
            }
            Action::GiveUp(slot) => {
                next.troubles.give_ups -= 1;
                next.workers[slot] = next.workers[slot].map(|worker| worker.give_up(self));
            }
            Action::Sweep => next.queue.send(Message::Start),
            Action::Open => {
                next.troubles.outages -= 1;
                next.open = true;
            }
            Action::Close => next.open = false,
            Action::Feed => next.join(Other::feed()),
            Action::Forget => {
                next.troubles.forgets -= 1;
                next.target.abort(next.target.live());
            }
            Action::LoseObject => {
                next.troubles.loses -= 1;
                next.target.lose();
            }
            Action::Mark => {
                next.troubles.marks -= 1;
                next.marked = true;
            }
            Action::Remove => next.join(Other::remove()),
            Action::Reconcile => {
                if let Some(row) = world.replica {
                    next.join(Other::reconcile(row.pinned()));
                }
            }
            Action::Redrive { letters } => {
                next.troubles.redrives = next.troubles.redrives.saturating_sub(1);
                let taken = letters && next.letters;
                next.letters &= !taken;
                next.join(Other::redrive(taken));
            }
            Action::MoveBack => {
                next.troubles.redrives -= 1;
                next.letters = false;
                let is_start = self.keeps(Rule::LettersAreStarts);
                next.queue.send(if is_start {
                    Message::Start
                } else {
                    Message::Copy(0)
                });
            }
            Action::StepOther(slot) => {
                next.others[slot] = world.others[slot].and_then(|other| other.step(self, &mut next));
            }
            Action::OtherDies(slot) => {
                if let Some(other) = next.others[slot].take() {
                    next.letters |= other.has_letters() && self.keeps(Rule::DeletesLettersLast);
                }
            }
        }
        // Which worker is which does not matter.
        next.workers
            .sort_unstable_by_key(|worker| worker.map(Worker::order));
        next
    }

    fn comes_again(&self, world: &mut World, message: Message) {
        if self.tells_again {
            world.queue.again(message);
        } else {
            world.queue.send(message);
        }
    }

    fn step(&self, world: &mut World, slot: usize) {
        let Some(worker) = world.workers[slot] else {
            return;
        };
        world.workers[slot] = match worker.step(self, world) {
            Turn::Goes(worker) => Some(worker),
            Turn::Done => None,
            Turn::Fails => {
                self.comes_again(world, worker.message);
                None
            }
        };
    }

    /// Everything that may happen next.
    pub(super) fn possible(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, worker) in world.workers.iter().enumerate() {
            let Some(worker) = worker else { continue };
            actions.push(Action::Die(slot));
            if !worker.again && !self.keeps(Rule::SaysIfTried) {
                actions.push(Action::SendAnew(slot));
            }
            if !worker.begins() || world.target.begun() < self.begun {
                actions.push(Action::Step(slot));
            }
            let may_begin_two = !worker.begins() || world.target.begun() + 1 < self.begun;
            if worker.changes() && may_begin_two {
                actions.push(Action::Repeat(slot));
            }
            if worker.makes_object() && world.troubles.corrupts > 0 {
                actions.push(Action::Corrupt(slot));
            }
            if worker.may_give_up() && world.troubles.give_ups > 0 {
                actions.push(Action::GiveUp(slot));
            }
        }
        self.messages(world, actions);
        for (slot, _) in world
            .others
            .iter()
            .enumerate()
            .filter(|(_, other)| other.is_some())
        {
            actions.extend([Action::StepOther(slot), Action::OtherDies(slot)]);
        }
        self.others(world, actions);
        let troubles = world.troubles;
        let may = [
            (
                troubles.forgets > 0 && world.target.live() != [false; MULTIPARTS],
                Action::Forget,
            ),
            (troubles.loses > 0 && world.target.is_right(), Action::LoseObject),
            (troubles.marks > 0, Action::Mark),
            (self.sweeps && world.is_stalled(self), Action::Sweep),
            (troubles.outages > 0, Action::Open),
            (world.open, Action::Close),
        ];
        actions.extend(may.iter().filter(|(may, _)| *may).map(|(_, action)| *action));
    }

    fn messages(&self, world: &World, actions: &mut Vec<Action>) {
        let room = world.workers.iter().flatten().count() < self.width;
        for message in MESSAGES {
            for again in [false, true] {
                if !world.queue.has(message, again) {
                    continue;
                }
                if self.vanish {
                    actions.push(Action::Vanish { message, again });
                }
                if room {
                    let deliver = |stays| Action::Deliver {
                        message,
                        again,
                        stays,
                    };
                    actions.extend([deliver(false), deliver(true)]);
                }
            }
        }
    }

    fn others(&self, world: &World, actions: &mut Vec<Action>) {
        if world.troubles.redrives > 0 && world.letters {
            actions.push(Action::MoveBack);
        }
        let busy = world.others.iter().flatten().count();
        if busy >= self.others {
            return;
        }
        if world.may_be_removed(self) {
            actions.push(Action::Remove);
        }
        if world.is_hungry(self) {
            actions.push(Action::Feed);
        }
        if world.may_be_reconciled(self) {
            actions.push(Action::Reconcile);
        }
        if world.troubles.redrives > 0 && !world.others.iter().flatten().any(Other::is_redrive) {
            actions.extend([
                Action::Redrive { letters: true },
                Action::Redrive { letters: false },
            ]);
        }
    }
}
