//! How a blob of two segments travels to a target: workers, messages that are lost, repeated and late, and a target
//! that forgets. What a worker does next is the domain's.

mod worker;

use domain::content::PartPlan;
use domain::replica::{SegmentPlan, State};
use stateright::{Checker, HasDiscoveries, Property};
use std::collections::BTreeSet;
use worker::{Call, Worker};

/// How many segments the blob has.
const SEGMENTS: usize = 2;
/// 9 parts of 8 MiB, of which 8 are a segment.
const SIZE: u64 = 72 * 1024 * 1024;
/// How many multipart uploads may be begun at the target.
const MULTIPARTS: usize = BEGUN + WORKERS + 1;
/// How many of them while anything may happen; the others are for when nothing goes wrong any more.
const BEGUN: usize = 2;
/// How many workers there are at a time.
const WORKERS: usize = 2;

/// The target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Multipart {
    Unused,
    /// Under way, with these segments.
    Live([bool; SEGMENTS]),
    Gone,
}

/// A message. There are as many kinds as bits in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Message {
    Start,
    Copy(usize),
    Finish,
}

const MESSAGES: [Message; 4] = [
    Message::Start,
    Message::Copy(0),
    Message::Copy(1),
    Message::Finish,
];

/// The replica's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Replica {
    state: State,
    multipart: Option<usize>,
    segments_done: usize,
}

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    replica: Replica,
    /// For which multipart upload each segment is recorded.
    segments: [Option<usize>; SEGMENTS],
    multiparts: [Multipart; MULTIPARTS],
    /// The target has the whole object, or one that is not.
    object: Option<bool>,
    queue: [bool; MESSAGES.len()],
    workers: [Option<Worker>; WORKERS],
    /// The target may still forget a multipart upload.
    forgets: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// A worker gets a message, which comes again or does not.
    Deliver(usize, bool),
    Lose(usize),
    Step(usize),
    Die(usize),
    /// The sweep takes the message for lost.
    SendAgain,
    /// The target gives up the multipart uploads under way.
    Forget,
}

/// Workers as they are, or as a test breaks them.
#[derive(Clone, Copy)]
struct Model {
    /// Segments of another multipart upload than the recorded one do not count.
    tells_multiparts_apart: bool,
    /// The target's object is looked at before the replica is available.
    verifies: bool,
}

const TRUE: Model = Model {
    tells_multiparts_apart: true,
    verifies: true,
};

impl World {
    const NEW: Self = Self {
        replica: Replica {
            state: State::Pending,
            multipart: None,
            segments_done: 0,
        },
        segments: [None; SEGMENTS],
        multiparts: [Multipart::Unused; MULTIPARTS],
        object: None,
        queue: [false; MESSAGES.len()],
        workers: [None; WORKERS],
        forgets: true,
    };

    fn send(&mut self, message: Message) {
        for (place, other) in self.queue.iter_mut().zip(MESSAGES) {
            *place |= other == message;
        }
    }

    /// The segments that are recorded for a multipart upload.
    fn recorded(&self, model: Model, multipart: Option<usize>) -> Vec<u32> {
        let counts = |of: Option<usize>| of.is_some() && (of == multipart || !model.tells_multiparts_apart);
        (0..)
            .zip(self.segments)
            .filter(|(_, of)| counts(*of))
            .map(|(segment, _)| segment)
            .collect()
    }

    fn complete(&mut self, multipart: usize) -> bool {
        match self.multiparts[multipart] {
            Multipart::Live(segments) if segments == [true; SEGMENTS] => {
                self.multiparts[multipart] = Multipart::Gone;
                self.object = Some(true);
                true
            }
            _ => false,
        }
    }

    fn give_up(&mut self) {
        for multipart in self
            .multiparts
            .iter_mut()
            .filter(|multipart| matches!(multipart, Multipart::Live(_)))
        {
            *multipart = Multipart::Gone;
        }
    }

    /// Whether the replica becomes available when nothing goes wrong any more.
    fn arrives(mut self, model: Model) -> bool {
        const ROUNDS: usize = 60;
        for _ in 0..ROUNDS {
            let idle = !self.queue.contains(&true) && self.workers == [None; WORKERS];
            let action = if self.workers[0].is_some() {
                Action::Step(0)
            } else if self.workers[1].is_some() {
                Action::Step(1)
            } else if let Some(message) = self.queue.iter().position(|there| *there) {
                Action::Deliver(message, false)
            } else {
                Action::SendAgain
            };
            if idle && self.replica.state == State::Available {
                return self.object == Some(true);
            }
            self = model.after(&self, action);
        }
        false
    }
}

impl Model {
    fn after(self, world: &World, action: Action) -> World {
        let mut next = *world;
        match action {
            Action::Deliver(message, again) => {
                next.queue[message] = again;
                let worker = Worker::on(MESSAGES[message], world.replica);
                if let Some(place) = next.workers.iter_mut().find(|worker| worker.is_none()) {
                    *place = worker;
                }
            }
            Action::Lose(message) => next.queue[message] = false,
            Action::Step(slot) => {
                next.workers[slot] = world.workers[slot].and_then(|worker| worker.step(self, &mut next));
            }
            Action::Die(slot) => next.workers[slot] = None,
            Action::SendAgain => next.send(Message::Start),
            Action::Forget => {
                next.forgets = false;
                next.give_up();
            }
        }
        next
    }
}

impl stateright::Model for Model {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::NEW]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (slot, worker) in world.workers.iter().enumerate() {
            let Some(worker) = worker else { continue };
            actions.push(Action::Die(slot));
            if worker.call != Call::Begin || world.multiparts[BEGUN - 1] == Multipart::Unused {
                actions.push(Action::Step(slot));
            }
        }
        let room = world.workers.contains(&None);
        for (message, _) in world.queue.iter().enumerate().filter(|(_, there)| **there) {
            actions.push(Action::Lose(message));
            if room {
                actions.extend([Action::Deliver(message, true), Action::Deliver(message, false)]);
            }
        }
        if world.replica.state != State::Available {
            actions.push(Action::SendAgain);
        }
        if world.forgets {
            actions.push(Action::Forget);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let next = self.after(world, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(AVAILABLE, |_, world: &World| {
                world.replica.state != State::Available || world.object == Some(true)
            }),
            Property::always(PROGRESS, |_, world: &World| {
                let row = world.replica;
                let recorded = world
                    .segments
                    .iter()
                    .filter(|of| of.is_some() && **of == row.multipart)
                    .count();
                row.state == State::Available || recorded == row.segments_done
            }),
            Property::always(ARRIVES, |model, world: &World| world.arrives(*model)),
            Property::sometimes("it is available", |_, world: &World| {
                world.replica.state == State::Available
            }),
            Property::sometimes("it begins anew", |_, world: &World| {
                world.replica.multipart == Some(1)
            }),
        ]
    }
}

const AVAILABLE: &str = "what is available is at the target";
const PROGRESS: &str = "progress is what was recorded";
const ARRIVES: &str = "the replica arrives";

/// Explores every world until this does not hold in one. Gives how many there were, and the shortest way there.
fn explore(model: Model, property: &'static str) -> (usize, Option<String>) {
    let wanted = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = stateright::Model::checker(model)
        .finish_when(wanted)
        .spawn_bfs()
        .join();
    let story = checker.discovery(property).map(|path| {
        let steps = path.into_vec().into_iter().map(|(world, action)| {
            let workers = world.workers.map(|worker| worker.map(|worker| worker.call));
            format!("  {workers:?} {action:?}\n")
        });
        steps.collect()
    });
    (checker.unique_state_count(), story)
}

#[test]
fn a_replica_arrives_whatever_happens() {
    let plan = PartPlan::for_size(SIZE).map(|plan| SegmentPlan::of(&plan).segment_count());
    assert_eq!(plan.map(usize::try_from), Ok(Ok(SEGMENTS)));
    let checker = stateright::Model::checker(TRUE)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join();
    for name in [AVAILABLE, PROGRESS, ARRIVES] {
        let story = || explore(TRUE, name).1.unwrap_or_default();
        assert!(checker.discovery(name).is_none(), "not true: {name}\n{}", story());
    }
    checker.assert_properties();
    let count = checker.unique_state_count();
    println!("{count} worlds");
    assert!(count > 100_000, "only {count} worlds");
}

#[test]
fn a_segment_of_another_multipart_upload_counts() {
    let (_, found) = explore(
        Model {
            tells_multiparts_apart: false,
            ..TRUE
        },
        ARRIVES,
    );
    assert!(found.is_some());
}

#[test]
fn a_replica_is_available_before_anybody_looked() {
    let (_, found) = explore(
        Model {
            verifies: false,
            ..TRUE
        },
        AVAILABLE,
    );
    assert!(found.is_some());
}
