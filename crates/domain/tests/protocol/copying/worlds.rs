//! The worlds: where each begins, what may go wrong, and how often.

mod tests;

use super::ends::Ends;
use super::model::{Model, Reached};
use super::queue::{Message, Queue};
use super::replica::{Counted, Replica};
use super::rules::Rule;
use super::size::{LARGE, MIDDLE, OTHERS, SEGMENTS, SMALL, WORKERS};
use super::target::{MULTIPARTS, TargetModel};
use super::worker::Worker;
use super::world::{Seen, Troubles, World};
use domain::content::PartPlan;
use domain::replica::{ReplicaCounters, State};

const NONE: Troubles = Troubles {
    forgets: 0,
    loses: 0,
    corrupts: 0,
    give_ups: 0,
    redrives: 0,
    marks: 0,
    outages: 0,
};

/// A new replica, and its message. Two workers at a time, one of the others, two multipart uploads; nothing goes wrong
/// but that workers die, calls are repeated, and messages come again and late.
fn plain(size: u64) -> Model {
    let plan = PartPlan::for_size(size).unwrap_or_else(|error| panic!("{error}"));
    let mut queue = Queue::default();
    queue.send(Message::Start);
    let begin = World {
        replica: Some(Replica::NEW),
        segments: [None; SEGMENTS],
        counters: Counted(ReplicaCounters::moved(None, Some(State::Pending), size)),
        target: TargetModel::EMPTY,
        queue,
        letters: false,
        marked: false,
        open: false,
        workers: [None; WORKERS],
        others: [None; OTHERS],
        troubles: NONE,
        seen: Seen {
            recorded: [[false; SEGMENTS]; MULTIPARTS],
            arrivals: 0,
        },
    };
    Model {
        begin,
        plan,
        width: 2,
        others: 1,
        begun: 2,
        vanish: false,
        sweeps: true,
        tells_again: true,
        broken: Vec::new(),
        ends: Ends::default(),
        reached: Vec::new(),
    }
}

impl Model {
    fn troubles(mut self, troubles: Troubles) -> Self {
        self.begin.troubles = troubles;
        self
    }

    pub(super) fn without(mut self, rules: &[Rule]) -> Self {
        self.broken.extend(rules);
        self
    }

    /// A multipart upload was begun, so many segments are recorded, and there are messages for what is left to be done.
    fn begun_with(mut self, recorded: u8) -> Self {
        let mut world = self.begin;
        let multipart = world.target.begin();
        for segment in 0..recorded {
            let place = usize::from(segment);
            world.target.put_segment(multipart, segment);
            world.segments[place] = multipart;
            world.seen.recorded[0][place] = true;
            world.counters.0 = world.counters.0.copied(self.segment_size(segment));
        }
        world.replica = Some(Replica {
            state: State::Copying,
            multipart,
            segments_done: recorded,
            ..Replica::NEW
        });
        world.queue = Queue::default();
        for (segment, _) in (0..)
            .zip(self.all_segments())
            .filter(|(segment, there)| *there && *segment >= recorded)
        {
            world.queue.send(Message::Copy(segment));
        }
        if usize::from(recorded) == self.segment_count() {
            world.queue.send(Message::Finish);
        }
        self.begin = world;
        self
    }

    /// It was given up, there is a dead letter, and another message comes again.
    fn failed(mut self) -> Self {
        let world = &mut self.begin;
        let (from, to) = (Some(State::Copying), State::Failed);
        world.replica = world.replica.map(|row| Replica {
            state: to,
            dead_lettered: true,
            due: false,
            ..row
        });
        world.counters.0 += ReplicaCounters::moved(from, Some(to), self.plan.size());
        world.letters = true;
        world.queue = Queue::default();
        world.queue.again(Message::Finish);
        self
    }

    fn reaches(mut self, name: &'static str, is: Reached) -> Self {
        self.reached.push((name, is));
        self
    }
}

/// Two segments. Messages vanish, and the target forgets.
pub(super) fn forgetting() -> Model {
    let troubles = Troubles { forgets: 1, ..NONE };
    Model {
        vanish: true,
        tells_again: false,
        ..plain(LARGE).troubles(troubles)
    }
}

/// One segment. Several workers begin, and die. There is a message of a multipart upload that was forgotten.
pub(super) fn beginning() -> Model {
    let mut model = plain(MIDDLE);
    model.begin.queue.send(Message::Copy(0));
    model
}

/// One segment. The target forgets, and makes something else of what it gets.
pub(super) fn corrupting() -> Model {
    let troubles = Troubles {
        forgets: 1,
        corrupts: 1,
        ..NONE
    };
    Model {
        tells_again: false,
        ..plain(MIDDLE).troubles(troubles)
    }
}

/// One segment, and one worker at a time. The target forgets, makes something else, and loses the object.
pub(super) fn losing_anyhow() -> Model {
    let troubles = Troubles {
        forgets: 1,
        loses: 1,
        corrupts: 1,
        ..NONE
    };
    Model {
        width: 1,
        ..plain(MIDDLE).troubles(troubles)
    }
}

/// Two segments, none of them there. An attempt is given up while others are at it. No sweep.
pub(super) fn giving_up() -> Model {
    let troubles = Troubles { give_ups: 1, ..NONE };
    Model {
        begun: 1,
        sweeps: false,
        ..plain(LARGE).troubles(troubles).begun_with(0)
    }
}

/// One segment, which is there. An attempt is given up while others are at it, and tried again. No sweep.
pub(super) fn trying_again() -> Model {
    let troubles = Troubles {
        give_ups: 1,
        redrives: 1,
        ..NONE
    };
    Model {
        begun: 1,
        sweeps: false,
        ..plain(MIDDLE).troubles(troubles).begun_with(1)
    }
}

/// One segment, and one worker at a time. It is given up again and again, and the target forgets. No sweep.
pub(super) fn giving_up_again() -> Model {
    let troubles = Troubles {
        forgets: 1,
        give_ups: 2,
        redrives: 1,
        ..NONE
    };
    Model {
        width: 1,
        sweeps: false,
        ..plain(MIDDLE).troubles(troubles).begun_with(1)
    }
}

/// One segment, which is not there. It had failed, and was tried again before the sender of its dead letter had recorded it. It is
/// given up again meanwhile. No sweep.
pub(super) fn failing_again() -> Model {
    let troubles = Troubles { give_ups: 1, ..NONE };
    let mut model = Model {
        begun: 1,
        sweeps: false,
        ..plain(MIDDLE).troubles(troubles).begun_with(0)
    };
    model.begin.workers[0] = Some(Worker::late_to_dead_letter(Message::Copy(0)));
    model
}

/// One segment, which is there, and one worker at a time. It has failed, arrives all the same, is lost, and given up again.
/// No sweep.
pub(super) fn failing_and_losing() -> Model {
    let troubles = Troubles {
        loses: 1,
        give_ups: 1,
        redrives: 1,
        ..NONE
    };
    Model {
        width: 1,
        sweeps: false,
        ..plain(MIDDLE).troubles(troubles).begun_with(1).failed()
    }
}

/// Two segments, of which one is there. The target loses the object.
pub(super) fn losing() -> Model {
    let troubles = Troubles { loses: 1, ..NONE };
    Model {
        tells_again: false,
        ..plain(LARGE).troubles(troubles).begun_with(1)
    }
}

/// Two segments. The blob goes while two workers copy it.
pub(super) fn going() -> Model {
    let troubles = Troubles { marks: 1, ..NONE };
    Model {
        others: 2,
        tells_again: false,
        ..plain(LARGE).troubles(troubles)
    }
}

/// One segment, and one worker at a time. The blob goes while its replica is given up and tried again.
/// No sweep.
pub(super) fn going_anyway() -> Model {
    let troubles = Troubles {
        give_ups: 1,
        redrives: 1,
        marks: 1,
        ..NONE
    };
    Model {
        width: 1,
        sweeps: false,
        others: 2,
        begun: 1,
        ..plain(MIDDLE).troubles(troubles).begun_with(1)
    }
}

/// One segment, which is not there. The circuit is open for a while. Messages get lost, and the target loses data.
pub(super) fn left_alone() -> Model {
    let troubles = Troubles {
        forgets: 1,
        outages: 1,
        ..NONE
    };
    Model {
        vanish: true,
        tells_again: false,
        ..plain(MIDDLE).troubles(troubles)
    }
}

/// One segment, which is there. The circuit is open while the replica fails, and is tried again. No sweep.
pub(super) fn left_alone_and_given_up() -> Model {
    let troubles = Troubles {
        give_ups: 1,
        redrives: 1,
        outages: 1,
        ..NONE
    };
    Model {
        begun: 1,
        sweeps: false,
        ..plain(MIDDLE).troubles(troubles).begun_with(1)
    }
}

/// A blob that is put whole, and whatever may go wrong with it.
pub(super) fn small() -> Model {
    let troubles = Troubles {
        loses: 1,
        give_ups: 1,
        redrives: 1,
        marks: 1,
        ..NONE
    };
    plain(SMALL).troubles(troubles)
}
