//! Targets that are left alone: what becomes of their messages, and who tries them again.

use super::asked::{Asked, fault_of_target};
use super::at_target::AtTarget;
use super::delivery::{Delivery, Setback, Verdict};
use super::live::Live;
use super::places::Worker;
use crate::replicate::feed::{feed, send_probe};
use crate::replicate::replicator::Outcome;
use domain::circuit::{Circuit, News};
use domain::replica::{Message, State};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::Ordering;
use store::StoreError;
use store::rows::now;
use tokio::time::timeout_at;

impl AtTarget<'_> {
    /// Tells a target's circuit how it did. Gives whether it did well, if it was asked for anything: one that does some of
    /// what it is asked for does.
    pub(super) async fn tell_circuit(
        &self,
        outcomes: &[Result<Outcome, Setback>],
        went: bool,
        asked: Asked,
    ) -> Option<bool> {
        let failures: Vec<(bool, String)> = outcomes.iter().filter_map(fault_of_target).collect();
        if went && !failures.iter().any(|(for_good, _)| *for_good) {
            // One that has seen no failure needs not be told that all is well.
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

    /// Tells the circuit, and does what follows when that opened or closed it, or left it open for longer. Who dies in
    /// between leaves that to the sweep.
    pub(super) async fn tell(&self, news: News, reason: Option<&str>, asked: Asked) -> Option<Circuit> {
        let table = &self.worker.replicator.table;
        let told = table
            .circuits()
            .tell(self.target, (news, reason), asked.probe, now());
        let told = match told.await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "the target's circuit does not know");
                return None;
            }
        };
        if told.turned && told.circuit.is_open() {
            self.opened.store(true, Ordering::Relaxed);
        }
        if told.turned && !told.circuit.is_open() {
            let queue = self.worker.replicator.queue.starts();
            let fed = async { feed(table, &queue, self.target, now()).await.map(|_| ()) };
            self.or_leave_to_the_sweep(fed).await;
        }
        Some(told.circuit)
    }

    pub(super) async fn park_all(&self, deliveries: &[&Delivery], until: Timestamp) -> Vec<Verdict> {
        let wait = until.duration_since(now()).max(SignedDuration::ZERO);
        join_all(deliveries.iter().map(|delivery| self.park(delivery, wait))).await
    }

    pub(super) async fn park(&self, delivery: &Delivery, wait: SignedDuration) -> Verdict {
        self.parked.store(true, Ordering::Relaxed);
        self.worker.park(delivery, self.live, wait).await
    }

    /// When all is written down: sends the probe of a circuit that was opened, to a replica that still waits and has not
    /// just been given up; or the circuit may have closed while replicas were left without a message, and whoever closed it
    /// has not seen them.
    pub(super) async fn see_to_those_that_wait(&self) {
        let opened = self.opened.load(Ordering::Relaxed);
        if !opened && !self.parked.load(Ordering::Relaxed) {
            return;
        }
        let (table, queue) = (&self.worker.replicator.table, &self.worker.replicator.queue);
        let seen_to = async {
            match table.circuits().get(self.target).await?.circuit.open_until {
                None => feed(table, &queue.starts(), self.target, now()).await.map(|_| ()),
                Some(until) if opened => {
                    let delay = until.duration_since(now()).max(SignedDuration::ZERO);
                    let delay = delay + SignedDuration::from_secs(1);
                    let sent = send_probe(table, &queue.starts(), self.target, delay).await;
                    sent.map(|_| ())
                }
                Some(_) => Ok(()),
            }
        };
        self.or_leave_to_the_sweep(seen_to).await;
    }

    /// What was done with messages has to be told in time; those that wait have the sweep.
    async fn or_leave_to_the_sweep(&self, done: impl Future<Output = Result<(), StoreError>>) {
        if let Ok(Err(error)) = timeout_at(self.deadline, done).await {
            let target = self.target;
            tracing::warn!(
                target,
                error = error.for_log(),
                "left to the sweep: what waits there"
            );
        }
    }
}

impl Worker {
    /// A target is left alone: the message is done with, and its replica waits without one until the target works again.
    /// `wait`: when it comes again if that cannot be.
    async fn park(&self, delivery: &Delivery, live: &Live, wait: SignedDuration) -> Verdict {
        let (blob, target) = delivery.message.subject();
        let parked = match self.replicator.table.replicas().park(blob, target).await {
            Ok(true) => return Verdict::Done,
            Ok(false) => self.park_other(delivery).await,
            Err(error) => Err(error),
        };
        match parked {
            Ok(true) => Verdict::Done,
            Ok(false) => self.defer(delivery, live, wait).await,
            Err(error) => {
                tracing::warn!(%blob, target, error = error.for_log(), "a message waits, not its replica");
                self.defer(delivery, live, wait).await
            }
        }
    }

    /// A message for a replica that does not wait for its bytes. Gives whether it is done with: what was left at the target by
    /// somebody who died is only known to the message.
    async fn park_other(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let (blob, target) = delivery.message.subject();
        let table = &self.replicator.table;
        let Some(replica) = table.replicas().get(blob, target).await? else {
            return Ok(true);
        };
        let again = delivery.attempts > 1;
        match replica.state {
            // Somebody wants it tried again.
            State::Failed if matches!(delivery.message, Message::Start { .. }) => {
                table.replicas().redrive(&replica, now()).await?;
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
