//! What a worker does with the messages of one invocation: at once as far as there is room, target by target.
//!
//! A target whose circuit is open is left alone: its messages are acknowledged, and its replicas wait without any
//! ([`Replicas::park`](store::replicas::Replicas::park)) until the circuit closes. Messages for one
//! that has no slot for another worker are sent anew, to come later, and do not count as tried. While the
//! worker is at its messages it keeps them invisible for a short time only, again and again: when it is
//! killed, they come back soon.

mod after;
mod asked;
mod at_target;
mod batch;
mod circuit;
mod delivery;
mod gather;
mod held_leases;
mod places;

pub use delivery::{Delivery, Verdict, defer};
pub use places::Worker;

use crate::replicate::report::Report;
use at_target::AtTarget;
use futures::future::{Either, join_all, select};
use held_leases::HeldLeases;
use places::HOLD;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;

/// How often it says so.
const HEARTBEAT: Duration = Duration::from_secs(10);
impl Worker {
    /// Processes messages until `deadline`. Returns the outcome of each, and what was done.
    pub async fn batch(&self, deliveries: &[Delivery], deadline: Instant) -> (Vec<Verdict>, Report) {
        let held_leases = HeldLeases::of(deliveries);
        let work = pin!(self.work(deliveries, &held_leases, deadline));
        let alive = pin!(self.keep_alive(&held_leases));
        match select(work, alive).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Sends heartbeats.
    async fn keep_alive(&self, held_leases: &HeldLeases) -> Infallible {
        loop {
            let queue = &self.replicator.queue;
            let changed =
                held_leases.extend_all(async |messages| queue.change_visibility_of(messages, HOLD).await);
            if let Err(error) = changed.await {
                tracing::warn!(
                    error = error.for_log(),
                    "messages may become visible while they are processed"
                );
            }
            let slots = held_leases.slots();
            for (target, slot) in slots {
                let kept = self
                    .table()
                    .slots()
                    .keep(&target, slot, &self.name, self.table().from_now(HOLD))
                    .await;
                if !matches!(kept, Ok(true)) {
                    tracing::warn!(target, slot, "the slot at the target was taken by another worker");
                }
            }
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn work(
        &self,
        deliveries: &[Delivery],
        held_leases: &HeldLeases,
        deadline: Instant,
    ) -> (Vec<Verdict>, Report) {
        let mut report = Report::default();
        let mut by_target: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, delivery) in deliveries.iter().enumerate() {
            let (_, target) = delivery.message.subject();
            by_target.entry(target).or_default().push(index);
        }
        let mut verdicts = vec![Verdict::Again; deliveries.len()];
        let targets = by_target.into_iter().map(|(target, indices)| async move {
            let mine: Vec<&Delivery> = indices.iter().map(|index| &deliveries[*index]).collect();
            let done = AtTarget::new(self, target, held_leases, deadline)
                .work(&mine)
                .await;
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
}
