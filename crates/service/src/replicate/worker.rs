//! What a worker does with the messages of one invocation: at once as far as there is room, target by target.
//!
//! A target whose circuit is open is left alone: its messages are acknowledged, and its replicas wait without any
//! ([`Table::park`]) until the circuit closes. Messages for one that has no place for another worker are sent anew, to come
//! later, and do not count as tried. While the worker is at its messages it keeps them hidden for a short time only,
//! again and again: when it is killed, they come back soon.

mod after;
mod at_target;
mod batch;
mod circuit;
mod gather;
mod live;

use crate::replicate::replicator::Replicator;
use crate::replicate::report::Report;
use at_target::AtTarget;
use domain::replica::{Message, STALLED_AFTER};
use futures::future::{Either, join_all, select};
use jiff::SignedDuration;
use live::Live;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use store::rows::{ReplicaRow, from_now, now};
use store::{DeadLetters, Queue, StoreError, Table};
use targets::error::ReplicaError;
use tokio::time::Instant;

/// How long messages and places stay with a worker that does not say that it is alive.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// How often it says so.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// When messages come again that found no place at their target, in seconds.
const NO_PLACE: std::ops::Range<i64> = 10..40;
/// When messages come again that could not be worked on because the table or the primary store did not answer.
const OUR_SIDE: SignedDuration = SignedDuration::from_secs(30);

/// A message as it was received.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it says.
    pub message: Message,
    /// What it can be hidden with.
    pub receipt: Option<String>,
    /// How often it has been tried, this time included.
    pub attempts: u32,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Done,
    /// It comes again.
    Again,
}

/// What it takes to work on messages.
pub struct Worker {
    /// Copies.
    pub replicator: Replicator,
    /// Where messages go that are given up.
    pub dead_letters: DeadLetters,
    /// How often a message is tried.
    pub max_attempts: u32,
    /// Tells this worker from others.
    pub name: String,
}

/// Why a message has to come again.
enum Setback {
    Failed(ReplicaError),
    /// It was not begun: there was no time left, or the target did not do what others were about.
    NotBegun,
    /// The replica is there, but something was left at the target that nobody needs.
    Untidy(ReplicaError),
}

impl Worker {
    /// Works on messages for `time` at most. Gives what becomes of each, and what was done.
    pub async fn batch(&self, deliveries: &[Delivery], time: Duration) -> (Vec<Verdict>, Report) {
        let live = Live::of(deliveries);
        let work = pin!(self.work(deliveries, &live, Instant::now() + time));
        let alive = pin!(self.keep_alive(&live));
        match select(work, alive).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Says again and again that it is alive.
    async fn keep_alive(&self, live: &Live) -> Infallible {
        loop {
            let queue = &self.replicator.queue;
            let hidden = live.hide_all(async |messages| queue.hide_all_for(messages, HOLD).await);
            if let Err(error) = hidden.await {
                tracing::warn!(
                    error = error.for_log(),
                    "messages may come again while they are worked on"
                );
            }
            let slots = live.slots();
            for (target, slot) in slots {
                let kept = self
                    .replicator
                    .table
                    .keep_slot(&target, slot, &self.name, from_now(HOLD))
                    .await;
                if !matches!(kept, Ok(true)) {
                    tracing::warn!(target, slot, "the place at the target is not ours any more");
                }
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn work(&self, deliveries: &[Delivery], live: &Live, deadline: Instant) -> (Vec<Verdict>, Report) {
        let mut report = Report::default();
        let mut by_target: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, delivery) in deliveries.iter().enumerate() {
            let (_, target) = delivery.message.subject();
            by_target.entry(target).or_default().push(index);
        }
        let mut verdicts = vec![Verdict::Again; deliveries.len()];
        let targets = by_target.into_iter().map(|(target, indices)| async move {
            let mine: Vec<&Delivery> = indices.iter().map(|index| &deliveries[*index]).collect();
            let done = AtTarget::new(self, target, live, deadline).work(&mine).await;
            (indices, done)
        });
        for (indices, (some, part)) in join_all(targets).await {
            for (index, verdict) in indices.into_iter().zip(some) {
                verdicts[index] = verdict;
            }
            report.add(part);
        }
        (verdicts, report)
    }

    /// Takes a place at a target that has only so many. `Err`: all are taken; how long to wait.
    async fn slot(&self, target: &str, live: &Live) -> Result<Option<u16>, SignedDuration> {
        let place = self.replicator.targets.get(target);
        let Some(places) = place.ok().and_then(|place| place.config.max_workers) else {
            return Ok(None);
        };
        let table = &self.replicator.table;
        let taken = table
            .take_slot(target, places, &self.name, now(), from_now(HOLD))
            .await;
        let wait = SignedDuration::from_secs(rand::random_range(NO_PLACE));
        match taken {
            Ok(Some(slot)) => {
                live.take(target, slot);
                Ok(Some(slot))
            }
            Ok(None) => Err(wait),
            Err(error) => {
                tracing::warn!(
                    target,
                    error = error.for_log(),
                    "no place at the target could be taken"
                );
                Err(wait)
            }
        }
    }

    /// Whether a target has only so many places.
    fn has_places(&self, target: &str) -> bool {
        let place = self.replicator.targets.get(target);
        place.is_ok_and(|place| place.config.max_workers.is_some())
    }

    /// Gives a place back.
    async fn leave(&self, target: &str, slot: u16, live: &Live) {
        live.leave(target, slot);
        if let Err(error) = self.replicator.table.free_slot(target, slot, &self.name).await {
            tracing::warn!(
                target,
                error = error.for_log(),
                "the place is free a little later"
            );
        }
    }
}

/// Lets a message come later without counting it as tried: it is sent anew. The sweep, which sends one for every replica
/// about which nothing is heard, is told that there is one.
///
/// # Errors
/// [`StoreError`] when it was not sent.
pub async fn defer(
    table: &Table,
    queue: &Queue,
    delivery: &Delivery,
    wait: SignedDuration,
) -> Result<(), StoreError> {
    // Not all at the same moment.
    let wait = wait.mul_f64(1.0 + rand::random::<f64>() / 2.0) + SignedDuration::from_secs(1);
    let tried = delivery.attempts.saturating_sub(1);
    queue.defer(&delivery.message, wait, tried).await?;
    let (blob, target) = delivery.message.subject();
    let replica = ReplicaRow::key_of(blob, target);
    if let Err(error) = table.postpone(&replica, from_now(wait + STALLED_AFTER)).await {
        tracing::warn!(%blob, target, error = error.for_log(), "the sweep will send one message more");
    }
    Ok(())
}
