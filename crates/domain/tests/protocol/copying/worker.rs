//! A worker: what it does with a message, call by call.

use super::{Message, Model, Multipart, Replica, SEGMENTS, SIZE, World};
use domain::content::PartPlan;
use domain::replica::{Next, State, next};

/// A worker's next call, after it has read the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Call {
    ReadSegments,
    Begin,
    Record(usize),
    LookAgain(usize),
    AbortOwn(usize),
    SendCopies([bool; SEGMENTS]),
    HasSegment(usize),
    PutSegment(usize),
    RecordSegment(usize),
    Count,
    SendFinish,
    Complete,
    Verify { completed: bool },
    MarkAvailable,
    ForgetSegments,
    AbortAll,
    HasMultipart,
    ReadSegmentsAnew,
    VerifyAnew,
    ForgetMultipart,
    SendStart,
}

/// A worker, with the replica as it has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    replica: Replica,
    pub(super) call: Call,
    finishing: bool,
}

impl Worker {
    /// After the replica was read.
    pub(super) fn on(message: Message, replica: Replica) -> Option<Self> {
        let call = match message {
            _ if replica.state == State::Available => return None,
            Message::Copy(segment) if replica.multipart.is_some() => Call::HasSegment(segment),
            _ => Call::ReadSegments,
        };
        Some(Self {
            replica,
            call,
            finishing: false,
        })
    }

    /// Does the next call. `None`: it was the last, or it failed.
    pub(super) fn step(mut self, model: Model, world: &mut World) -> Option<Self> {
        let mine = self.replica.multipart;
        self.call = match self.call {
            Call::ReadSegments => self.advance(model, world)?,
            Call::Begin => {
                let id = world
                    .multiparts
                    .iter()
                    .position(|multipart| *multipart == Multipart::Unused)?;
                world.multiparts[id] = Multipart::Live([false; SEGMENTS]);
                Call::Record(id)
            }
            Call::Record(id) => {
                let row = &mut world.replica;
                if row.multipart.is_none() && row.state != State::Available {
                    *row = Replica {
                        state: State::Copying,
                        multipart: Some(id),
                        segments_done: 0,
                    };
                    Call::SendCopies([true; SEGMENTS])
                } else {
                    Call::LookAgain(id)
                }
            }
            Call::LookAgain(id) if world.replica.multipart == Some(id) => Call::SendCopies([true; SEGMENTS]),
            Call::LookAgain(id) => Call::AbortOwn(id),
            Call::AbortOwn(id) => {
                world.multiparts[id] = Multipart::Gone;
                Call::SendCopies([true; SEGMENTS])
            }
            Call::SendCopies(wanted) => {
                for (segment, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted) {
                    world.send(Message::Copy(segment));
                }
                return None;
            }
            Call::HasSegment(segment)
                if world.segments[segment].is_some() && world.segments[segment] == mine =>
            {
                Call::Count
            }
            Call::HasSegment(segment) => Call::PutSegment(segment),
            Call::PutSegment(segment) => match &mut world.multiparts[mine?] {
                Multipart::Live(segments) => {
                    segments[segment] = true;
                    Call::RecordSegment(segment)
                }
                Multipart::Unused | Multipart::Gone => Call::ReadSegmentsAnew,
            },
            Call::RecordSegment(segment) => {
                let row = &mut world.replica;
                if row.multipart == mine && row.state != State::Available && world.segments[segment] != mine {
                    world.segments[segment] = mine;
                    row.state = State::Copying;
                    row.segments_done += 1;
                }
                Call::Count
            }
            Call::Count if world.replica.segments_done >= SEGMENTS => Call::SendFinish,
            Call::Count => return None,
            Call::SendFinish => {
                world.send(Message::Finish);
                return None;
            }
            other => return self.finish(other, model, world),
        };
        Some(self)
    }

    /// The calls that end the copying, or begin it anew.
    fn finish(mut self, call: Call, model: Model, world: &mut World) -> Option<Self> {
        let mine = self.replica.multipart;
        let whole = world.object == Some(true) || !model.verifies;
        self.call = match call {
            Call::Complete => {
                let completed = world.complete(mine?);
                Call::Verify { completed }
            }
            Call::Verify { .. } if whole => {
                self.finishing = true;
                Call::MarkAvailable
            }
            // There is an object, but not the one that was made: the message comes again.
            Call::Verify { completed: true } => return None,
            Call::Verify { completed: false } => Call::HasMultipart,
            Call::HasMultipart if matches!(world.multiparts[mine?], Multipart::Live(_)) => return None,
            Call::HasMultipart => Call::ReadSegmentsAnew,
            Call::MarkAvailable => {
                world.replica.state = State::Available;
                world.replica.multipart = None;
                Call::ForgetSegments
            }
            Call::ForgetSegments => {
                world.segments = [None; SEGMENTS];
                if !self.finishing {
                    return None;
                }
                Call::AbortAll
            }
            Call::AbortAll => {
                world.give_up();
                return None;
            }
            Call::ReadSegmentsAnew if world.recorded(model, mine).len() == SEGMENTS => Call::VerifyAnew,
            Call::ReadSegmentsAnew => Call::ForgetMultipart,
            Call::VerifyAnew if whole => Call::MarkAvailable,
            Call::VerifyAnew => Call::ForgetMultipart,
            Call::ForgetMultipart => {
                let row = &mut world.replica;
                if row.multipart.is_none() || row.multipart != mine || row.state == State::Available {
                    return None;
                }
                (row.multipart, row.segments_done) = (None, 0);
                Call::SendStart
            }
            Call::SendStart => {
                world.send(Message::Start);
                return None;
            }
            _ => return None,
        };
        Some(self)
    }

    /// What comes next, by the domain.
    fn advance(&self, model: Model, world: &World) -> Option<Call> {
        let plan = PartPlan::for_size(SIZE).ok()?;
        let recorded = world.recorded(model, self.replica.multipart);
        match next(
            self.replica.state,
            &plan,
            self.replica.multipart.is_some(),
            &recorded,
        ) {
            Next::Nothing | Next::PutWhole => None,
            Next::BeginMultipart => Some(Call::Begin),
            Next::Copy(missing) => {
                let wanted =
                    |segment: usize| missing.iter().any(|other| usize::try_from(*other) == Ok(segment));
                Some(Call::SendCopies(std::array::from_fn(wanted)))
            }
            Next::Finish => Some(Call::Complete),
        }
    }
}
