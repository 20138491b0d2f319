//! Has a target's failed replicas tried again. For operators.
//!
//! Dead letters are taken out first, and deleted when their replica is under way again: taken out afterwards, one could be
//! that of the next failure.

use crate::{Exit, serve};
use api::{Handler, Problem, Request};
use domain::id::BlobId;
use domain::replica::{Message, State};
use store::queue::DeadLetter;
use store::rows::{ReplicaRow, WaitingFor, now};
use store::{Aws, DeadLetters, StartQueue, StoreError, Table};
use wire::body::Json;
use wire::target::{Redrive, Redriven};

/// The program.
///
/// # Errors
/// When it is not configured, or the Lambda runtime cannot be reached.
pub fn main() -> Exit {
    serve::<TargetRedrive>()
}

/// How many failed replicas one call takes: what is done well before the gateway stops waiting.
const MOST: u32 = 100;
/// How often ten dead letters are taken out.
const ROUNDS: usize = 10;

pub struct TargetRedrive {
    table: Table,
    queue: StartQueue,
    dead_letters: DeadLetters,
}

impl TargetRedrive {
    /// The dead letters of a target, out of their queue for half a minute, and whether there may be more. Those of others
    /// are put back.
    async fn letters(&self, target: &str) -> Result<(Vec<(BlobId, DeadLetter)>, bool), StoreError> {
        let (mut mine, mut others, mut more) = (Vec::new(), Vec::new(), true);
        for _ in 0..ROUNDS {
            let taken = self.dead_letters.take().await?;
            if taken.is_empty() {
                more = false;
                break;
            }
            for letter in taken {
                match serde_json::from_str::<Message>(&letter.body) {
                    Ok(message) if message.subject().1 == target => {
                        mine.push((message.subject().0.clone(), letter));
                    }
                    _ => others.push(letter),
                }
            }
        }
        for letter in others {
            self.dead_letters.put_back(&letter).await?;
        }
        Ok((mine, more))
    }

    /// Gives whether the replica was failed, and is under way again.
    async fn redrive(&self, replica: &ReplicaRow) -> Result<bool, StoreError> {
        if replica.state != State::Failed || !self.table.redrive(replica, now()).await? {
            return Ok(false);
        }
        let target = std::slice::from_ref(&replica.target);
        if let Err(error) = self.queue.start(&replica.blob, target).await {
            tracing::warn!(blob = %replica.blob, error = error.for_log(), "left to the sweep: starting again");
        }
        Ok(true)
    }
}

impl Handler for TargetRedrive {
    type Endpoint = Redrive;

    async fn new(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
            queue: StartQueue::from_env(aws)?,
            dead_letters: DeadLetters::from_env(aws)?,
        })
    }

    async fn answer(&self, request: Request<Redrive>) -> Result<Json<Redriven>, Problem<Redrive>> {
        let target = request.path.as_str();
        if self.table.roster().await?.roster.member(target).is_none() {
            return Err(Problem::not_found("target"));
        }
        let (mut redriven, mut skipped, mut went_on) = (0, 0, false);
        let (letters, more_letters) = self.letters(target).await?;
        for (blob, letter) in letters {
            let replica = self.table.replica(&blob, target).await;
            let Some(replica) = self.table.or_leave_out(replica)? else {
                // For whoever mends it: the letter is the only one.
                skipped += 1;
                self.dead_letters.put_back(&letter).await?;
                continue;
            };
            if let Some(replica) = replica
                && self.redrive(&replica).await?
            {
                redriven += 1;
            }
            self.dead_letters.delete(&letter).await?;
            went_on = true;
        }
        // And those whose dead letters are gone: they are kept for two weeks.
        let failed = self.table.waiting_at(target, WaitingFor::Somebody, MOST).await?;
        let more_failed = failed.len() >= MOST as usize;
        for (key, _) in failed {
            let Some(replica) = self
                .table
                .or_leave_out(self.table.get::<ReplicaRow>(&key).await)?
            else {
                skipped += 1;
                continue;
            };
            if let Some(replica) = replica
                && self.redrive(&replica).await?
            {
                redriven += 1;
                went_on = true;
            }
        }
        // Those of others, and those that cannot be read, however many, are no reason to ask again.
        let more = went_on && (more_letters || more_failed);
        tracing::info!(target, redriven, more, skipped, "redriven");
        Ok(Json(Redriven {
            redriven,
            more,
            skipped,
        }))
    }
}
