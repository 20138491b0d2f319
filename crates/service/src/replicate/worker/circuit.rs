//! Targets whose circuit is open: what happens to their messages, and who sends the probe.

use super::asked::{Asked, fault_of_target};
use super::at_target::AtTarget;
use super::delivery::{AttemptError, Delivery, Verdict};
use super::held_leases::HeldLeases;
use super::places::Worker;
use crate::replicate::feed::{feed, send_probe};
use crate::replicate::replicator::MessageResult;
use domain::circuit::{Circuit, News};
use domain::replica::{Message, State};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::Ordering;
use store::StoreError;
use tokio::time::timeout_at;

impl AtTarget<'_> {
    /// Reports to a target's circuit. Returns whether the target works, if it was asked for anything: one that does some of
    /// what it is asked for works.
    pub(super) async fn tell_circuit(
        &self,
        outcomes: &[Result<MessageResult, AttemptError>],
        went: bool,
        asked: Asked,
    ) -> Option<bool> {
        let failures: Vec<(bool, String)> = outcomes.iter().filter_map(fault_of_target).collect();
        if went && !failures.iter().any(|(for_good, _)| *for_good) {
            // A circuit that has seen no failure needs no report of a success.
            if !asked.clean {
                self.tell(News::Well, None, asked).await;
            }
            return Some(true);
        }
        for (for_good, reason) in &failures {
            let news = News::Failed { for_good: *for_good };
            let circuit = self.tell(news, Some(reason), asked).await;
            if circuit.is_some_and(|circuit| circuit.is_open()) {
                break;
            }
        }
        (!failures.is_empty()).then_some(false)
    }

    /// Reports to the circuit, and does what follows when that opened or closed it, or left it open for longer. A worker that dies in
    /// between leaves that to the sweep.
    pub(super) async fn tell(&self, news: News, reason: Option<&str>, asked: Asked) -> Option<Circuit> {
        let table = self.worker.table();
        let told = table
            .circuits()
            .tell(self.target, (news, reason), asked.probe, table.now());
        let told = match told.await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(
                    error = error.for_log(),
                    "the report to the target's circuit failed"
                );
                return None;
            }
        };
        if told.turned && told.circuit.is_open() {
            self.opened.store(true, Ordering::Relaxed);
        }
        if told.turned && !told.circuit.is_open() {
            let queue = self.worker.replicator.queue.starts();
            let fed = async { feed(table, &queue, self.target, table.now()).await.map(|_| ()) };
            self.or_leave_to_the_sweep(fed).await;
        }
        Some(told.circuit)
    }

    pub(super) async fn park_all(&self, deliveries: &[&Delivery], until: Timestamp) -> Vec<Verdict> {
        let wait = self.worker.table().until(until);
        join_all(deliveries.iter().map(|delivery| self.park(delivery, wait))).await
    }

    pub(super) async fn park(&self, delivery: &Delivery, wait: SignedDuration) -> Verdict {
        self.parked.store(true, Ordering::Relaxed);
        self.worker.park(delivery, self.held_leases, wait).await
    }

    /// When all is recorded: sends the probe of a circuit that was opened, for a replica that still waits and has not
    /// just failed; or the circuit may have closed while replicas were left without a message, and the worker that closed it
    /// has not seen them.
    pub(super) async fn see_to_those_that_wait(&self) {
        let opened = self.opened.load(Ordering::Relaxed);
        if !opened && !self.parked.load(Ordering::Relaxed) {
            return;
        }
        let (table, queue) = (self.worker.table(), &self.worker.replicator.queue);
        let seen_to = async {
            match table.circuits().get(self.target).await?.circuit.open_until {
                None => feed(table, &queue.starts(), self.target, table.now())
                    .await
                    .map(|_| ()),
                Some(until) if opened => {
                    let delay = table.until(until);
                    let delay = delay + SignedDuration::from_secs(1);
                    let sent = send_probe(table, &queue.starts(), self.target, delay).await;
                    sent.map(|_| ())
                }
                Some(_) => Ok(()),
            }
        };
        self.or_leave_to_the_sweep(seen_to).await;
    }

    /// The batch result has to be returned in time; replicas that wait have the sweep.
    async fn or_leave_to_the_sweep(&self, done: impl Future<Output = Result<(), StoreError>>) {
        if let Ok(Err(error)) = timeout_at(self.deadline, done).await {
            let target = self.target;
            tracing::warn!(
                target,
                error = error.for_log(),
                "left to the sweep: waiting replicas"
            );
        }
    }
}

impl Worker {
    /// The circuit is open: the message is acknowledged, and its replica waits without one until the target works again.
    /// `wait`: when it comes again if that cannot be.
    async fn park(&self, delivery: &Delivery, held_leases: &HeldLeases, wait: SignedDuration) -> Verdict {
        let (blob, target) = delivery.message.subject();
        let parked = match self.table().replicas().park(blob, target).await {
            Ok(true) => return Verdict::Done,
            Ok(false) => self.park_other(delivery).await,
            Err(error) => Err(error),
        };
        match parked {
            Ok(true) => Verdict::Done,
            Ok(false) => self.defer(delivery, held_leases, wait).await,
            Err(error) => {
                tracing::warn!(%blob, target, error = error.for_log(), "the replica could not be parked; its message waits");
                self.defer(delivery, held_leases, wait).await
            }
        }
    }

    /// A message for a replica that does not wait for its bytes. Returns whether it is done: what was left at the target by
    /// a worker that died is known to the message only.
    async fn park_other(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let (blob, target) = delivery.message.subject();
        let table = self.table();
        let Some(replica) = table.replicas().get(blob, target).await? else {
            return Ok(true);
        };
        let again = delivery.attempts > 1;
        match replica.state {
            // A redrive: it is tried again.
            State::Failed if matches!(delivery.message, Message::Start { .. }) => {
                table.replicas().redrive(&replica, table.now()).await?;
                table.replicas().park(blob, target).await
            }
            State::Failed if again => match self.look_again(delivery, None).await {
                Ok(()) => Ok(true),
                Err(_) => Ok(false),
            },
            State::Available => Ok(!again),
            State::Failed => Ok(true),
            State::Pending | State::Copying => table.replicas().park(blob, target).await,
        }
    }
}
