//! The model: what may happen next, and its result.

use crate::clock::Timer;
use crate::process::Process;
use crate::process::create::{Create, Wish};
use crate::process::discard::Discard;
use crate::process::finalize::Finalize;
use crate::process::prove::Prove;
use crate::process::reclaim::Reclaim;
use crate::process::reconcile::Reconcile;
use crate::process::replicate::Replicate;
use crate::process::requests::{Abort, Delete, ListParts, Sign};
use crate::rules::Rules;
use crate::size::{Id, SLOTS, UPLOADS};
use crate::world::{Clock, Multipart, Replica, World};
use crate::writes::{Held, Turn};
use domain::upload::{State, SweepAction};

/// A request of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// `POST /v1/uploads`.
    Create(Wish),
    /// `GET /v1/uploads/{id}`.
    ListParts(Id),
    /// `POST /v1/uploads/{id}/parts`.
    Sign(Id),
    /// A part, with this content, to the multipart upload that the upload has.
    Put(Id, Id),
    /// `POST /v1/uploads/{id}/proof`, by a client that has the bytes or has not.
    Prove(Id, bool),
    /// `POST /v1/uploads/{id}/complete`.
    Complete(Id),
    /// `DELETE /v1/uploads/{id}`.
    Abort(Id),
    /// `DELETE /v1/files/{id}`.
    Delete(Id),
}

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Upload(Id),
    Blob(Id),
    Replica(Id),
}

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A client makes the request of this number in the script.
    Request(usize),
    /// The sweep comes to an item.
    Sweep(Item),
    /// A worker gets the message of a blob, which may come again all the same.
    Deliver(Id, Again),
    /// The message of a blob is lost.
    Lose(Id),
    /// The reconciler comes to a key, and there to the thing of this number.
    Reconcile(Id, usize),
    /// A process does its next call.
    Step(usize),
    /// The call has its effect, the answer is lost, and the SDK sends it again.
    Repeat(usize),
    /// The store does not answer in time.
    Unanswered(usize),
    /// A process dies.
    Die(usize),
    /// A time comes.
    RunOut(Clock),
}

/// Whether a message comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Yes,
    No,
}

/// A small world, with everything that may happen in it.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) world: World,
    pub(crate) script: Vec<Request>,
    /// How many processes are at work at once.
    pub(crate) width: usize,
    /// How many of them are of the sweep.
    pub(crate) sweeps: usize,
    /// Which times come.
    pub(crate) comes: fn(Clock) -> bool,
    pub(crate) rules: Rules,
    /// Worlds that must be among those that can be.
    pub(crate) reached: Vec<Reached>,
}

/// A kind of world, by name.
pub(crate) type Reached = (&'static str, fn(&World) -> bool);

impl Model {
    /// A world in which everything may happen, with this script.
    pub(crate) fn new(world: World, script: &[Request]) -> Self {
        let all = u16::MAX.checked_shr(16 - u32::try_from(script.len()).unwrap_or(16));
        let world = World {
            script: all.unwrap_or(0),
            ..world
        };
        let (script, reached) = (script.to_vec(), Vec::new());
        Self {
            world,
            script,
            width: 2,
            sweeps: 1,
            comes: |_| true,
            rules: Rules::TRUE,
            reached,
        }
    }

    /// With so many processes at work at once.
    pub(crate) fn width(self, width: usize) -> Self {
        Self { width, ..self }
    }

    /// With other rules.
    pub(crate) fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// With a kind of world that must be among those that can be.
    pub(crate) fn reaches(mut self, name: &'static str, is: fn(&World) -> bool) -> Self {
        self.reached.push((name, is));
        self
    }

    /// Everything that may happen next.
    pub(crate) fn possible(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, process) in world.processes.iter().enumerate() {
            let Some(process) = process else { continue };
            actions.extend([Action::Step(slot), Action::Die(slot)]);
            if process.repeats() {
                actions.push(Action::Repeat(slot));
            }
            if matches!(process, Process::Finalize(finalize) if finalize.unanswered(world).is_some()) {
                actions.push(Action::Unanswered(slot));
            }
        }
        actions.extend(
            ripe(world)
                .filter(|clock| (self.comes)(*clock))
                .map(Action::RunOut),
        );
        actions.extend(messages(world).map(Action::Lose));
        let room = world.processes.iter().flatten().count() < self.width.min(SLOTS);
        let possible = |request: &usize| world.script & 1 << request != 0;
        for request in (0..self.script.len()).filter(possible) {
            let quick = matches!(self.script[request], Request::Put(..));
            if self.is_possible(world, request) && (room || quick) {
                actions.push(Action::Request(request));
            }
        }
        if room {
            if usize::try_from(world.sweeping.count_ones()).is_ok_and(|sweeps| sweeps < self.sweeps) {
                actions.extend(due(world).map(Action::Sweep));
            }
            for again in [Again::Yes, Again::No] {
                actions.extend(messages(world).map(|blob| Action::Deliver(blob, again)));
            }
            if world.reconciled {
                for key in keys() {
                    let found = Reconcile::all(world, key).len();
                    actions.extend((0..found).map(|thing| Action::Reconcile(key, thing)));
                }
            }
        }
    }

    /// Whether a client can think of making a request now.
    fn is_possible(&self, world: &World, request: usize) -> bool {
        let there = |upload: Id| world.uploads[usize::from(upload)].is_some();
        match self.script[request] {
            Request::Create(wish) => !there(wish.upload),
            Request::Put(upload, _) => {
                world.uploads[usize::from(upload)].is_some_and(|row| row.multipart.is_some())
            }
            Request::Delete(node) => world.nodes[usize::from(node)].is_some(),
            Request::ListParts(upload) | Request::Sign(upload) | Request::Complete(upload) => there(upload),
            Request::Prove(upload, _) | Request::Abort(upload) => there(upload),
        }
    }

    /// The world after something happened.
    pub(crate) fn after(&self, world: &World, action: Action) -> World {
        let mut next = *world;
        let alive = world.alive();
        let mut turn = Turn {
            world: &mut next,
            rules: &self.rules,
            alive,
        };
        match action {
            Action::Request(number) => {
                turn.world.script &= !(1 << number);
                let process = request(&mut turn, self.script[number]);
                begin(&mut next, process);
            }
            Action::Sweep(item) => {
                let process = sweep(&turn, item);
                let slot = begin(&mut next, process);
                next.sweeping |= slot.map_or(0, |slot| 1 << slot);
            }
            Action::Deliver(blob, again) => {
                turn.world.queue[usize::from(blob)] = again == Again::Yes;
                let process = Replicate::work(&turn, blob).map(Process::Replicate);
                begin(&mut next, process);
            }
            Action::Lose(blob) => next.queue[usize::from(blob)] = false,
            Action::Reconcile(key, thing) => {
                let process = Reconcile::all(world, key)
                    .get(thing)
                    .copied()
                    .map(Process::Reconcile);
                begin(&mut next, process);
            }
            Action::Step(slot) => match world.processes[slot].and_then(|process| process.step(&mut turn)) {
                Some(process) => next.processes[slot] = Some(process),
                None => next.end(slot),
            },
            Action::Repeat(slot) => {
                // The process stays where it was, but what it has read may be old by now.
                let _ = world.processes[slot].and_then(|process| process.step(&mut turn));
            }
            Action::Unanswered(slot) => {
                if let Some(Process::Finalize(finalize)) = world.processes[slot] {
                    next.processes[slot] = finalize.unanswered(world).map(Process::Late);
                }
            }
            Action::Die(slot) => next.end(slot),
            Action::RunOut(clock) => {
                if let Some((_, timer)) = next.timers().find(|(other, _)| *other == clock) {
                    *timer = Timer::Over;
                }
            }
        }
        next
    }
}

/// Keys of the bucket.
pub(crate) fn keys() -> impl Iterator<Item = Id> {
    (0..).take(UPLOADS)
}

/// The times that may come next.
pub(crate) fn ripe(world: &World) -> impl Iterator<Item = Clock> {
    let mut copy = *world;
    let ripe: Vec<Clock> = copy
        .timers()
        .filter(|(_, timer)| timer.is_ripe())
        .map(|(clock, _)| clock)
        .collect();
    ripe.into_iter()
}

/// What is due.
pub(crate) fn due(world: &World) -> impl Iterator<Item = Item> {
    let over = |timer: Option<Timer>| timer == Some(Timer::Over);
    let upload = move |key: &Id| over(world.uploads[usize::from(*key)].and_then(|row| row.due()));
    let blob = move |key: &Id| over(world.blobs[usize::from(*key)].and_then(|row| row.examine));
    let replica = |key: &Id| world.replicas[usize::from(*key)] == Some(Replica::Pending(Timer::Over));
    let uploads = keys().filter(upload).map(Item::Upload);
    let blobs = keys().filter(blob).map(Item::Blob);
    uploads
        .chain(blobs)
        .chain(keys().filter(replica).map(Item::Replica))
}

/// Blobs that have a message.
pub(crate) fn messages(world: &World) -> impl Iterator<Item = Id> {
    keys().filter(|key| world.queue[usize::from(*key)])
}

/// A process starts, if there is something to do.
fn begin(world: &mut World, process: Option<Process>) -> Option<usize> {
    let free = world.processes.iter().position(Option::is_none)?;
    world.processes[free] = Some(process?);
    Some(free)
}

/// The first call of a function that a client asks for: it reads.
fn request(turn: &mut Turn, request: Request) -> Option<Process> {
    match request {
        Request::Create(wish) => Some(Process::Create(Create::begin(turn.world, wish))),
        Request::ListParts(upload) => ListParts::begin(turn, upload).map(Process::ListParts),
        Request::Sign(upload) => Sign::begin(turn, upload).map(Process::Sign),
        Request::Put(upload, content) => {
            let multipart = turn.upload(upload)?.multipart?;
            if let Multipart::Live(part) =
                &mut turn.world.multiparts[usize::from(upload)][usize::from(multipart)]
            {
                *part = Some(content);
            }
            None
        }
        Request::Prove(upload, right) => Prove::begin(turn, upload, right).map(Process::Prove),
        Request::Complete(upload) => Finalize::begin(turn, upload).map(Process::Finalize),
        Request::Abort(upload) => {
            let ended = turn.upload(upload)?.state == State::Aborted;
            (!ended).then(|| Process::Abort(Abort::begin(upload)))
        }
        Request::Delete(node) => Delete::begin(turn, node).map(Process::Delete),
    }
}

/// The first call of the sweep at an item: it reads the row.
pub(crate) fn sweep(turn: &Turn, item: Item) -> Option<Process> {
    match item {
        Item::Upload(upload) => match turn.upload(upload)?.state.sweep_action() {
            SweepAction::Expire => Some(Process::Expire(Abort::begin(upload))),
            SweepAction::TakeOver => Finalize::begin(turn, upload).map(Process::Finalize),
            SweepAction::Discard => Some(Process::Discard(Discard::begin(Held { upload, stale: false }))),
        },
        Item::Blob(blob) => Reclaim::begin(turn, blob).map(Process::Reclaim),
        Item::Replica(blob) => Some(Process::Replicate(Replicate::send_again(blob))),
    }
}
