//! A worker, before each of its calls.

mod copy;
mod end;
mod finish;
mod redrive;
mod step;

use super::queue::Message;
use super::replica::Replica;
use super::size::SEGMENTS;
use super::target::Which;

/// A worker's next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Call {
    /// The target's circuit is open.
    Park,
    ReadToPark,
    RedriveToPark,
    Redrive,
    ReadToRedrive,
    ReadRedriven,
    ReadSegments,
    PutWhole,
    Begin,
    RecordBegin(u8),
    LookWhoBegan(u8),
    AbortOwn(u8),
    SendCopies([bool; SEGMENTS]),
    HasSegment(u8),
    PutSegment(u8),
    RecordSegment(u8),
    Count,
    SendFinish,
    Complete,
    Verify {
        completed: bool,
    },
    HasMultipart,
    ReadSegmentsAnew,
    VerifyAnew,
    Forget,
    LookWhoForgot,
    SendStart,
    Arrive,
    ReadToArrive,
    DeleteSegments,
    List {
        then: Then,
    },
    Abort {
        these: Which,
        then: Then,
    },
    /// At how it ended.
    Recheck,
    /// `since`: what it read before was that.
    ReadToGiveUp {
        since: Option<u8>,
    },
    GiveUp,
    SendLetterFirst,
    /// `same`: the row is as it was read.
    SendLetter {
        same: bool,
    },
    /// Writes down that there is a letter.
    DeadLetter {
        same: bool,
    },
}

/// What is done when all multipart uploads are aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Then {
    Arrive,
    Nothing,
}

/// A worker, with the replica as it has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) message: Message,
    /// The message was tried before.
    pub(super) again: bool,
    read: Replica,
    call: Call,
}

/// The next state of a worker.
pub(super) enum Turn {
    Goes(Worker),
    /// The message is acknowledged.
    Done,
    /// The message comes again.
    Fails,
}

impl Worker {
    /// It has sent a dead letter, and not said so. The row is not what it has read any more.
    pub(super) fn late_to_dead_letter(message: Message) -> Self {
        Self {
            message,
            again: false,
            read: Replica::NEW,
            call: Call::DeadLetter { same: false },
        }
    }

    /// Something to sort workers by.
    pub(super) fn order(self) -> impl Ord {
        let Replica {
            state,
            since,
            multipart,
            segments_done,
            dead_lettered,
            due,
        } = self.read;
        let read = (state as u8, since, multipart, segments_done, dead_lettered, due);
        (self.message, self.again, self.call, read)
    }

    pub(super) fn begins(&self) -> bool {
        self.call == Call::Begin
    }

    /// Its next call changes something, and another thing when it is repeated. Messages may come again as it is.
    pub(super) fn changes(&self) -> bool {
        matches!(
            self.call,
            Call::Redrive
                | Call::RedriveToPark
                | Call::PutWhole
                | Call::Begin
                | Call::RecordBegin(_)
                | Call::PutSegment(_)
                | Call::RecordSegment(_)
                | Call::Complete
                | Call::Forget
                | Call::Arrive
                | Call::GiveUp
        )
    }

    pub(super) fn makes_object(&self) -> bool {
        matches!(self.call, Call::PutWhole | Call::Complete)
    }

    /// Its attempt may be the last. When giving up itself fails, the message comes again.
    pub(super) fn may_give_up(&self) -> bool {
        !matches!(
            self.call,
            Call::Park
                | Call::ReadToPark
                | Call::RedriveToPark
                | Call::Recheck
                | Call::ReadToGiveUp { .. }
                | Call::GiveUp
                | Call::SendLetterFirst
                | Call::SendLetter { .. }
                | Call::DeadLetter { .. }
        )
    }

    /// It will send a dead letter: it is giving up, or its message may have been there when another worker
    /// did. `dead_lettered`: it will see that there is one.
    pub(super) fn owes_letter(&self, dead_lettered: bool) -> bool {
        match self.call {
            Call::SendLetter { .. } => true,
            Call::DeadLetter { .. } => false,
            // It redrives it, or looks how it ended.
            Call::Park | Call::ReadToPark | Call::RedriveToPark => {
                self.message == Message::Start || (self.again && !dead_lettered)
            }
            _ => (!dead_lettered || self.message == Message::Start) && (self.again || !self.may_give_up()),
        }
    }

    /// It has it tried again.
    pub(super) fn is_redriving(&self) -> bool {
        matches!(self.call, Call::Redrive | Call::ReadToRedrive)
    }

    /// The row was written since. That matters only to the worker that is about to mark it dead-lettered.
    pub(super) fn has_read_older(&mut self) {
        if let Call::SendLetter { same } | Call::DeadLetter { same } = &mut self.call {
            *same = false;
        }
    }

    /// What it read may be older than the replica's being available.
    pub(super) fn is_old(&self) -> bool {
        let looks = match self.call {
            Call::Recheck => true,
            Call::List { then } | Call::Abort { then, .. } => then == Then::Nothing,
            _ => false,
        };
        !looks
    }

    /// What it does not need any more is forgotten: it would only make worlds different.
    fn to(mut self, call: Call) -> Self {
        (self.read.dead_lettered, self.read.due) = (false, true);
        let read = Replica {
            segments_done: 0,
            ..self.read
        };
        let read = match call {
            Call::ReadSegments
            | Call::HasSegment(_)
            | Call::PutSegment(_)
            | Call::RecordSegment(_)
            | Call::Complete
            | Call::Verify { .. }
            | Call::HasMultipart
            | Call::ReadSegmentsAnew
            | Call::VerifyAnew
            | Call::Forget
            | Call::List { then: Then::Arrive }
            | Call::Abort {
                then: Then::Arrive, ..
            } => read,
            Call::Redrive
            | Call::RedriveToPark
            | Call::PutWhole
            | Call::Arrive
            | Call::GiveUp
            | Call::LookWhoForgot => read.pinned(),
            Call::ReadToRedrive | Call::Begin | Call::RecordBegin(_) | Call::ReadToArrive => Replica {
                since: read.since,
                ..Replica::NEW
            },
            _ => Replica::NEW,
        };
        Self { read, call, ..self }
    }

    fn goes(self, call: Call) -> Turn {
        Turn::Goes(self.to(call))
    }

    /// The worker that tried the message before may have been killed after it had marked the replica failed, or had begun a multipart
    /// upload that is recorded nowhere.
    fn look(self) -> Turn {
        if self.again {
            self.goes(Call::Recheck)
        } else {
            Turn::Done
        }
    }
}
