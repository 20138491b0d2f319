//! How a blob travels to one target, and leaves it: workers, messages that are repeated, late and lost, a target that
//! loses and corrupts data, attempts that fail and are tried again, and a blob that is reclaimed in the meantime.
//!
//! What comes next is the domain's: `next`, `step`, `ReplicaCounters::moved`. What is written here is the
//! order of the calls of a [`worker`] and of the [`others`], and the conditions of their writes ([`rows`]),
//! as `service` and `store` have them; when those change, this has to. Between any two calls anything else
//! may happen; a process may die there, and any call may have its effect twice. The [`worlds`] differ in what
//! else may go wrong, and how often; each is explored to the end, and in every state all [`properties`] hold,
//! among them that all ends well once nothing goes wrong any more. The [`mutations`] show that they can fail.
//!
//! While a target's circuit is open workers only write down that the replica waits without a message (`park`), and later
//! another process finds it, and sends one (`feed`).
//!
//! Taken for granted: a message that was delivered and not acknowledged comes again, even when two workers have it and one
//! of them acknowledges it; a worker is gone when the time to settle is over. Left out: that the target completes a
//! multipart upload slowly, how often one may come to nothing, what opens a circuit, places, messages that wait, arrivals that are
//! written together, a target that stops draining. Segments' rows may outlive the multipart upload that they are of.

mod checking;
mod hashing;
mod mutations;
mod others;
mod properties;
mod queue;
mod rows;
mod rules;
mod target;
mod worker;
mod worlds;

use domain::content::PartPlan;
use others::Other;
use properties::Ends;
use queue::{MESSAGES, Message, Queue};
use rows::{Counted, Replica};
use rules::Rule;
use target::{MULTIPARTS, TargetModel};
use worker::{Turn, Worker};

/// How many segments a large blob has.
const SEGMENTS: usize = 2;
/// 9 parts of 8 MiB, of which 8 are a segment.
const LARGE: u64 = 72 * 1024 * 1024;
/// 2 parts, which are one segment.
const MIDDLE: u64 = 16 * 1024 * 1024;
/// One part, put whole.
const SMALL: u64 = 5;
/// At most so many workers at a time.
const WORKERS: usize = 2;
/// At most so many others.
const OTHERS: usize = 2;

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct World {
    replica: Option<Replica>,
    /// For which multipart upload each segment is recorded.
    segments: [Option<u8>; SEGMENTS],
    counters: Counted,
    target: TargetModel,
    queue: Queue,
    /// There are dead letters.
    letters: bool,
    /// The blob is reclaimed: workers that come now skip it.
    marked: bool,
    /// The circuit opens: workers that come now send the target nothing.
    open: bool,
    workers: [Option<Worker>; WORKERS],
    others: [Option<Other>; OTHERS],
    troubles: Troubles,
    seen: Seen,
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Troubles {
    /// The target forgets the multipart uploads under way.
    forgets: u8,
    /// It loses the object.
    loses: u8,
    /// It has made other bytes than were sent.
    corrupts: u8,
    /// An attempt was the last.
    give_ups: u8,
    /// An operator redrives a failed replica.
    redrives: u8,
    /// The blob is marked.
    marks: u8,
    /// The target's circuit is open.
    outages: u8,
}

/// What only the properties read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Seen {
    /// What was ever recorded for each multipart upload.
    recorded: [[bool; SEGMENTS]; MULTIPARTS],
    /// How often a blob that is put whole arrived.
    arrivals: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
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

type Reached = fn(&World) -> bool;

/// A world to explore: where it begins, what may happen, and the rules.
#[derive(Clone)]
struct Model {
    begin: World,
    plan: PartPlan,
    /// How many workers there are at a time.
    width: usize,
    /// How many others there are at a time.
    others: usize,
    /// How many multipart uploads are begun while anything may go wrong.
    begun: usize,
    /// Messages vanish.
    vanish: bool,
    /// The sweep is at work while anything may go wrong, not only afterwards.
    sweeps: bool,
    /// Whether a message was received before is known. Where it makes no difference, there are fewer worlds without.
    tells_again: bool,
    /// Rules that a test breaks.
    broken: Vec<Rule>,
    ends: Ends,
    /// What has to happen in some world, or the model does not say much.
    reached: Vec<(&'static str, Reached)>,
}

impl Model {
    fn keeps(&self, rule: Rule) -> bool {
        !self.broken.contains(&rule)
    }

    fn is_large(&self) -> bool {
        self.plan.part_count() > 1
    }

    fn after(&self, world: &World, action: Action) -> World {
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
    fn possible(&self, world: &World, actions: &mut Vec<Action>) {
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
