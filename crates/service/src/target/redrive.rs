//! Has a target's failed replicas tried again.
//!
//! Dead letters are taken out first, and deleted when their replica is under way again: taken out afterwards, one could be
//! that of the next failure.

use domain::id::BlobId;
use domain::replica::{Message, State};
use store::queue::DeadLetter;
use store::rows::{ReplicaRow, WaitingFor};
use store::{DeadLetters, StartQueue, StoreError, Table};

/// How many failed replicas one call takes: what is done well before the gateway stops waiting.
const MOST: u32 = 100;
/// How often ten dead letters are taken out.
const ROUNDS: usize = 10;

/// What it takes to have replicas tried again.
pub struct Redrive {
    /// Where they are written down.
    pub table: Table,
    /// Where they begin again.
    pub queue: StartQueue,
    /// The messages that were given up.
    pub dead_letters: DeadLetters,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Redriven {
    /// How many replicas are tried again.
    pub redriven: u64,
    /// There may be more.
    pub more: bool,
    /// How many cannot be read.
    pub skipped: usize,
}

impl Redrive {
    /// Has the failed replicas of a target tried again, as many as one call takes.
    ///
    /// # Errors
    /// [`StoreError`]; some may be tried again.
    pub async fn run(&self, target: &str) -> Result<Redriven, StoreError> {
        let (mut redriven, mut skipped, mut went_on) = (0, 0, false);
        let (letters, more_letters) = self.letters(target).await?;
        for (blob, letter) in letters {
            let replica = self.table.replicas().get(&blob, target).await;
            let Some(replica) = self.table.or_leave_out(replica)? else {
                // For the operator who mends it: the letter is the only one.
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
        let failed = self.table.targets().waiting(target, WaitingFor::Somebody, MOST);
        let failed = failed.await?;
        let more_failed = failed.len() >= MOST as usize;
        for (key, _) in failed {
            let replica = self.table.get::<ReplicaRow>(&key).await;
            let Some(replica) = self.table.or_leave_out(replica)? else {
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
        Ok(Redriven {
            redriven,
            more,
            skipped,
        })
    }

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
            // It comes back by itself, only later.
            if let Err(error) = self.dead_letters.put_back(&letter).await {
                tracing::warn!(
                    error = error.for_log(),
                    "a dead letter of another target stays invisible for a while"
                );
            }
        }
        Ok((mine, more))
    }

    /// Returns whether the replica was failed, and is under way again.
    async fn redrive(&self, replica: &ReplicaRow) -> Result<bool, StoreError> {
        if replica.state != State::Failed || !self.table.replicas().redrive(replica, self.table.now()).await?
        {
            return Ok(false);
        }
        let target = std::slice::from_ref(&replica.target);
        if let Err(error) = self.queue.start(&replica.blob, target).await {
            tracing::warn!(blob = %replica.blob, error = error.for_log(), "left to the sweep: starting again");
        }
        Ok(true)
    }
}
