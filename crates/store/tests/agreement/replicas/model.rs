//! What each write should make of a replica, by the rules and nothing of the store's.

use super::fixture::{ReplicaFixture, SHAPES, due, now, segment, state_of};
use domain::replica::{ReplicaEvent, State, step};
use store::replicas::arriving::Arrival;
use store::rows::ReplicaRow;
use store::{Conflict, Table};

/// A write about a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Act {
    Begin,
    Forget,
    Record,
    Arrive,
    Note,
    /// Its dead letter is sent.
    DeadLetter,
    GiveUp,
    Redrive,
    Lose,
    Remove,
}

/// What the store says to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ExpectedResult {
    Done,
    /// Nothing was to be done.
    Nothing,
    Conflict,
}

/// How many bytes are copied by an act that copies.
const COPIED: u64 = 5;

impl Act {
    pub(super) const ALL: [Self; 10] = [
        Self::Begin,
        Self::Forget,
        Self::Record,
        Self::Arrive,
        Self::Note,
        Self::DeadLetter,
        Self::GiveUp,
        Self::Redrive,
        Self::Lose,
        Self::Remove,
    ];

    /// Does it to a replica as it was read.
    pub(super) async fn perform(self, table: &Table, read: &ReplicaRow) -> Result<ExpectedResult, String> {
        let (blob, target) = (&read.blob, read.target.as_str());
        let moved = |moved| {
            if moved {
                ExpectedResult::Done
            } else {
                ExpectedResult::Nothing
            }
        };
        let done = |()| ExpectedResult::Done;
        let written = match self {
            Self::Begin => table
                .replicas()
                .begin_copying(read, "anew", "new key", now())
                .await
                .map(done),
            Self::Forget => table.replicas().forget_multipart(read, now()).await.map(done),
            Self::Record => table
                .replicas()
                .record_segment(read, &segment(read), COPIED, now())
                .await
                .map(done),
            Self::Arrive => {
                let arrival = Arrival {
                    replica: read.clone(),
                    key: "new key".to_owned(),
                    checksum: "new sum".to_owned(),
                    copied: COPIED,
                };
                table.replicas().arrive(vec![arrival], now()).await.map(done)
            }
            Self::Note => table
                .replicas()
                .note_failure(blob, target, "a reason", now())
                .await
                .map(done),
            Self::DeadLetter => table.replicas().note_dead_letter(read).await.map(done),
            Self::GiveUp => table
                .replicas()
                .give_up(blob, target, "a reason", now())
                .await
                .map(moved),
            Self::Redrive => table.replicas().redrive(read, now()).await.map(moved),
            Self::Lose => table.replicas().lose(read, "a reason", now()).await.map(moved),
            Self::Remove => table.replicas().remove(read).await.map(done),
        };
        match written {
            Ok(outcome) => Ok(outcome),
            Err(error) if error.conflict() == Some(Conflict::ReplicaChanged) => Ok(ExpectedResult::Conflict),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What should come of it: what is said, what the replica is then, and how many bytes count as copied.
    pub(super) fn rule(
        self,
        read: &ReplicaRow,
        is: Option<&ReplicaRow>,
    ) -> (ExpectedResult, Option<ReplicaRow>, u64) {
        let as_it_was = |outcome| (outcome, is.cloned(), 0);
        // Some are told by their errors, some by their answers, and to some it is all the same.
        let refused = match self {
            Self::Begin | Self::Forget | Self::Record | Self::Remove => ExpectedResult::Conflict,
            Self::Redrive | Self::Lose | Self::GiveUp => ExpectedResult::Nothing,
            Self::Arrive | Self::Note | Self::DeadLetter => ExpectedResult::Done,
        };
        let Some(is) = is else { return as_it_was(refused) };
        // A worker that saw that there was nothing to do did not look again. What failed is read by the one
        // that writes it.
        let saw = self
            .event()
            .map(|event| step(read.state, event, read.multipart_id.is_some()));
        if saw == Some(None) && matches!(self, Self::Arrive | Self::Redrive | Self::Lose) {
            return as_it_was(refused);
        }
        let same_wait = is.since == read.since;
        let to = self
            .event()
            .and_then(|event| step(is.state, event, is.multipart_id.is_some()));
        let mut next = is.clone();
        next.updated_at = now();
        match (self, to) {
            (Self::Begin, Some(State::Copying)) if same_wait => {
                next.multipart_id = Some("anew".to_owned());
                next.key = Some("new key".to_owned());
                (next.bytes_done, next.segments_done) = (0, 0);
            }
            (Self::Record, Some(_)) if is.multipart_id == read.multipart_id && fits(read, is) => {
                next.bytes_done += COPIED;
                next.segments_done += 1;
                // One that has no message, or was given up meanwhile, stays as it is.
                if read.state != State::Failed && is.due_at.is_some() {
                    next.due_at = Some(due());
                }
                return (ExpectedResult::Done, Some(next), COPIED);
            }
            // It waits for other bytes than those that it was about.
            (Self::Arrive | Self::Redrive | Self::Lose, _) if !same_wait => return as_it_was(refused),
            (Self::Arrive, Some(State::Available)) => {
                next.key = Some("new key".to_owned());
                next.checksum = Some("new sum".to_owned());
                next.bytes_done = next.size;
                next.available_at = Some(now());
                (next.multipart_id, next.last_error, next.dead_lettered) = (None, None, false);
            }
            (Self::GiveUp, Some(State::Failed)) => note(&mut next),
            // It has failed before.
            (Self::GiveUp | Self::Note, _) if is.state != State::Available => {
                note(&mut next);
                return (ExpectedResult::Done, Some(next), 0);
            }
            (Self::Redrive, Some(_)) => (next.attempts, next.restarts, next.dead_lettered) = (0, 0, false),
            (Self::DeadLetter, _) if is.state == State::Failed && is.updated_at == read.updated_at => {
                let dead_lettered = true;
                return (
                    ExpectedResult::Done,
                    Some(ReplicaRow {
                        dead_lettered,
                        ..is.clone()
                    }),
                    0,
                );
            }
            (Self::Lose, Some(State::Pending)) => {
                next.since = now();
                (next.bytes_done, next.segments_done, next.restarts) = (0, 0, 0);
                next.last_error = Some("a reason".to_owned());
                (next.available_at, next.checksum, next.multipart_id) = (None, None, None);
            }
            (Self::Forget, _) if is.multipart_id.is_some() && is.multipart_id == read.multipart_id => {
                next.multipart_id = None;
                (next.bytes_done, next.segments_done) = (0, 0);
                next.restarts += 1;
                return (ExpectedResult::Done, Some(next), 0);
            }
            (Self::Remove, _) if is.state == read.state && same_wait => {
                return (ExpectedResult::Done, None, 0);
            }
            _ => return as_it_was(refused),
        }
        next.state = to.unwrap();
        let goes_on = matches!(next.state, State::Pending | State::Copying);
        next.due_at = goes_on.then(due);
        let copied = if self == Self::Arrive { COPIED } else { 0 };
        (ExpectedResult::Done, Some(next), copied)
    }

    fn event(self) -> Option<ReplicaEvent> {
        match self {
            Self::Begin => Some(ReplicaEvent::Begin),
            Self::Record => Some(ReplicaEvent::Record),
            Self::Arrive => Some(ReplicaEvent::Arrive),
            Self::GiveUp => Some(ReplicaEvent::GiveUp),
            Self::Redrive => Some(ReplicaEvent::Redrive),
            Self::Lose => Some(ReplicaEvent::Lose),
            Self::Forget | Self::Note | Self::DeadLetter | Self::Remove => None,
        }
    }

    /// Whether the segments that were there are there afterwards; `None`: either is right.
    pub(super) fn leaves_segments(self, outcome: ExpectedResult, read: &ReplicaRow) -> Option<bool> {
        match (self, outcome) {
            (Self::Remove, ExpectedResult::Done) => Some(false),
            (Self::Arrive, ExpectedResult::Done) if read.multipart_id.is_some() => Some(false),
            // Nobody can tell whose they are any more.
            (Self::Arrive | Self::Remove, _) => None,
            _ => Some(true),
        }
    }
}

/// A worker that has read that a replica was given up records only for one that still is: another start goes
/// on from there.
fn fits(read: &ReplicaRow, is: &ReplicaRow) -> bool {
    read.state != State::Failed || is.state == State::Failed
}

fn note(replica: &mut ReplicaRow) {
    replica.attempts += 1;
    replica.last_error = Some("a reason".to_owned());
}

/// From what a replica can be, nothing leads to what it cannot be.
#[test]
fn these_are_all_the_shapes() {
    let place = ReplicaFixture::new();
    for shape in SHAPES {
        for act in Act::ALL {
            let read = place.replica(shape);
            let (_, after, _) = act.rule(&read, Some(&read));
            let after = after.as_ref().map(state_of);
            assert!(
                after.is_none_or(|after| SHAPES.contains(&after)),
                "{act:?} on {shape:?}: {after:?}"
            );
        }
    }
}
