//! All messages of a batch that are about one target.

use super::batch::Batch;
use super::{Delivery, Live, OUR_SIDE, Setback, Verdict, Worker};
use crate::error::{Failure, ReplicaError};
use crate::replicator::{Outcome, Task};
use crate::report::Report;
use domain::circuit::{Admission, Circuit, FIRST_WAIT, OPEN_AFTER};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use jiff::SignedDuration;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::replicas::{ARRIVALS, Arrival};
use store::rows::now;
use tokio::time::{Instant, timeout, timeout_at};

/// How many messages are worked on at a time.
const AT_ONCE: usize = 16;
/// For how long arrivals wait for others, if nothing else happens.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(2);

/// One target, with what is needed to work on its messages.
pub(super) struct AtTarget<'a> {
    worker: &'a Worker,
    target: &'a str,
    live: &'a Live,
    /// When all has to be done.
    deadline: Instant,
    /// How often in a row the target has failed: at [`OPEN_AFTER`] what was not begun is left.
    failures: AtomicU32,
}

/// What came of messages.
struct Tried {
    outcomes: Vec<Result<Outcome, Setback>>,
    /// The target did something of what it was asked for.
    went: bool,
}

impl<'a> AtTarget<'a> {
    pub(super) fn new(worker: &'a Worker, target: &'a str, live: &'a Live, deadline: Instant) -> Self {
        Self {
            worker,
            target,
            live,
            deadline,
            failures: AtomicU32::new(0),
        }
    }

    /// Works on messages, if the target is not left alone. Gives what becomes of each, and what was done.
    pub(super) async fn work(&self, deliveries: &[&Delivery]) -> (Vec<Verdict>, Report) {
        let mut report = Report::default();
        let table = &self.worker.replicator.table;
        let slot = match self.worker.slot(self.target, self.live).await {
            Ok(slot) => slot,
            Err(wait) => return (self.defer_all(deliveries, wait).await, report),
        };
        let verdicts = match table.ask_circuit(self.target, now()).await {
            Ok((Admission::Wait(until), _)) => self.defer_all(deliveries, until.duration_since(now())).await,
            Ok((admission, circuit)) => self.admitted(deliveries, admission, &circuit, &mut report).await,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "the target's circuit cannot be read");
                self.defer_all(deliveries, OUR_SIDE).await
            }
        };
        if let Some(slot) = slot {
            self.worker.leave(self.target, slot, self.live).await;
        }
        (verdicts, report)
    }

    async fn admitted(
        &self,
        deliveries: &[&Delivery],
        admission: Admission,
        circuit: &Circuit,
        report: &mut Report,
    ) -> Vec<Verdict> {
        let batch = match Batch::read(&self.worker.replicator.table, deliveries).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "a batch cannot be read");
                return self.defer_all(deliveries, OUR_SIDE).await;
            }
        };
        let (mut verdicts, mut rest, mut circuit) = (Vec::new(), deliveries, *circuit);
        // One message after the other until the target does something. If it fails instead, the others wait.
        while admission == Admission::Probe
            && let Some((first, others)) = rest.split_first()
        {
            let (some, answered) = self.together(&[*first], &batch, &circuit, report).await;
            verdicts.extend(some);
            rest = others;
            match answered {
                Some(true) => {
                    circuit = Circuit::default();
                    break;
                }
                Some(false) => {
                    verdicts.extend(self.defer_all(others, FIRST_WAIT).await);
                    return verdicts;
                }
                // Nothing was to be done for it.
                None => {}
            }
        }
        verdicts.extend(self.together(rest, &batch, &circuit, report).await.0);
        verdicts
    }

    /// Works on messages at once. Gives what becomes of each, and whether the target does what it is asked for, if it was
    /// asked for anything.
    async fn together(
        &self,
        deliveries: &[&Delivery],
        batch: &Batch,
        circuit: &Circuit,
        report: &mut Report,
    ) -> (Vec<Verdict>, Option<bool>) {
        let Tried { outcomes, went } = self.try_all(deliveries, batch, report).await;
        report.attempts(
            self.target,
            outcomes.iter().filter(|outcome| tried(outcome)).count(),
        );
        let failed = |outcome: &&Result<_, _>| tried(outcome) && outcome.is_err();
        report.failures(self.target, outcomes.iter().filter(failed).count());
        let answered = self.tell_circuit(&outcomes, went, circuit).await;
        let verdicts = deliveries
            .iter()
            .zip(outcomes)
            .map(|(delivery, outcome)| async move {
                match outcome {
                    Ok(_) => Verdict::Done,
                    Err(Setback::NotBegun) => {
                        let wait = if self.has_failed() {
                            FIRST_WAIT
                        } else {
                            SignedDuration::ZERO
                        };
                        self.worker.defer(delivery, self.live, wait).await
                    }
                    Err(Setback::Failed(error)) => self.worker.set_back(delivery, self.live, &error).await,
                    Err(Setback::Untidy(error)) => {
                        self.worker.leave_untidy(delivery, self.live, &error).await
                    }
                }
            });
        (join_all(verdicts).await, answered)
    }

    /// Tries messages, some at a time, and writes down what arrived, much at a time.
    async fn try_all(&self, deliveries: &[&Delivery], batch: &Batch, report: &mut Report) -> Tried {
        let tries = deliveries
            .iter()
            .enumerate()
            .map(|(index, delivery)| async move { (index, self.attempt(delivery, batch).await) });
        let mut tries = pin!(stream::iter(tries).buffer_unordered(AT_ONCE));
        let mut outcomes: Vec<_> = deliveries.iter().map(|_| Err(Setback::NotBegun)).collect();
        let (mut arrived, mut went) = (Vec::new(), false);
        loop {
            match timeout(WAIT_FOR_OTHERS, tries.next()).await {
                Ok(Some((index, outcome))) => {
                    match &outcome {
                        Ok(Outcome::Arrived(_)) => arrived.push(index),
                        Ok(Outcome::Copied(bytes)) => report.copied(self.target, *bytes),
                        _ => {}
                    }
                    went |= matches!(outcome, Ok(ref done) if !matches!(done, Outcome::Nothing));
                    outcomes[index] = outcome;
                    if arrived.len() < ARRIVALS {
                        continue;
                    }
                }
                Ok(None) => break,
                Err(_) => {}
            }
            self.write_arrivals(&mut arrived, &mut outcomes, report).await;
        }
        self.write_arrivals(&mut arrived, &mut outcomes, report).await;
        Tried { outcomes, went }
    }

    /// The target has failed so often in a row that it is left alone.
    fn has_failed(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= OPEN_AFTER
    }

    async fn attempt(&self, delivery: &Delivery, batch: &Batch) -> Result<Outcome, Setback> {
        if Instant::now() >= self.deadline || self.has_failed() {
            return Err(Setback::NotBegun);
        }
        let (blob, _) = delivery.message.subject();
        let job = batch.job(blob).map_err(|error| Setback::Failed(error.into()))?;
        let Some((row, replica)) = job else {
            // It was reclaimed, or removed from the target.
            return Ok(Outcome::Nothing);
        };
        let again = delivery.attempts > 1;
        let outcome = self.handle(Task {
            message: &delivery.message,
            blob: row,
            replica,
            digest: batch.digest(blob),
            again,
            deadline: self.deadline,
        });
        let outcome = outcome.await;
        match fault_of_target(&outcome) {
            Some((true, _)) => self.failures.store(OPEN_AFTER, Ordering::Relaxed),
            Some((false, _)) => _ = self.failures.fetch_add(1, Ordering::Relaxed),
            None if matches!(outcome, Ok(Outcome::Copied(_) | Outcome::Arrived(_))) => {
                self.failures.store(0, Ordering::Relaxed);
            }
            None => {}
        }
        if again && matches!(outcome, Ok(Outcome::Nothing | Outcome::Copied(_))) {
            let looked = timeout_at(self.deadline, self.worker.look_again(delivery, None));
            looked.await.unwrap_or(Err(Setback::NotBegun))?;
        }
        outcome
    }

    async fn handle(&self, task: Task<'_>) -> Result<Outcome, Setback> {
        let blob = task.blob.id.clone();
        match timeout_at(self.deadline, self.worker.replicator.handle(task)).await {
            Err(_) => Err(Setback::Failed(ReplicaError::Late)),
            Ok(Err(ReplicaError::NoTime)) => Err(Setback::NotBegun),
            Ok(Err(ReplicaError::Unknown(name))) => {
                // Nobody can sign in there. Its replicas are forgotten in time, or it comes back.
                tracing::warn!(%blob, target = name, "a message for a target that is not configured");
                Ok(Outcome::Nothing)
            }
            Ok(Err(error)) => Err(Setback::Failed(error)),
            Ok(Ok(done)) => Ok(done),
        }
    }

    /// Writes down which replicas are available now. Where that fails, their messages come again.
    async fn write_arrivals(
        &self,
        arrived: &mut Vec<usize>,
        outcomes: &mut [Result<Outcome, Setback>],
        report: &mut Report,
    ) {
        let arrivals: Vec<(usize, Arrival)> = arrived
            .drain(..)
            .filter_map(|index| match &outcomes[index] {
                Ok(Outcome::Arrived(arrival)) => Some((index, (**arrival).clone())),
                _ => None,
            })
            .collect();
        if arrivals.is_empty() {
            return;
        }
        let rows = arrivals.iter().map(|(_, arrival)| arrival.clone()).collect();
        let written = self.worker.replicator.table.arrive(rows, now()).await;
        let settled = arrivals.iter().map(async |(index, arrival)| match &written {
            Ok(()) => (*index, self.tidy_up(arrival).await),
            Err(error) => (*index, Err(Setback::Failed(error.clone().into()))),
        });
        for (index, settled) in join_all(settled).await {
            if let Err(setback) = settled {
                outcomes[index] = Err(setback);
            }
        }
        if written.is_ok() {
            for (_, arrival) in &arrivals {
                let lag = now().duration_since(arrival.replica.since);
                report.arrived(self.target, lag, arrival.copied);
            }
        }
    }

    async fn tidy_up(&self, arrival: &Arrival) -> Result<(), Setback> {
        if arrival.replica.multipart_id.is_none() {
            return Ok(());
        }
        let replicator = &self.worker.replicator;
        let tidied = replicator.abort_all_multiparts(&arrival.replica.blob, self.target);
        match timeout_at(self.deadline, tidied).await {
            Ok(tidied) => tidied.map_err(Setback::Untidy),
            Err(_) => Err(Setback::Untidy(ReplicaError::NoTime)),
        }
    }

    /// Tells a target's circuit how it did. Gives whether it did well, if it was asked for anything: one that does some of
    /// what it is asked for does.
    async fn tell_circuit(
        &self,
        outcomes: &[Result<Outcome, Setback>],
        went: bool,
        circuit: &Circuit,
    ) -> Option<bool> {
        let table = &self.worker.replicator.table;
        let failures: Vec<(bool, String)> = outcomes.iter().filter_map(fault_of_target).collect();
        if went && !failures.iter().any(|(for_good, _)| *for_good) {
            // One that has seen no failure needs not be told that all is well.
            if *circuit != Circuit::default()
                && let Err(error) = table.tell_circuit(self.target, None, now()).await
            {
                tracing::warn!(error = error.for_log(), "the target's circuit does not know");
            }
            return Some(true);
        }
        for (for_good, reason) in &failures {
            match table
                .tell_circuit(self.target, Some((*for_good, reason)), now())
                .await
            {
                Ok(circuit) if circuit.is_open() => break,
                Ok(_) => {}
                Err(error) => tracing::warn!(error = error.for_log(), "the target's circuit does not know"),
            }
        }
        (!failures.is_empty()).then_some(false)
    }

    async fn defer_all(&self, deliveries: &[&Delivery], wait: SignedDuration) -> Vec<Verdict> {
        self.worker.defer_all(deliveries, self.live, wait).await
    }
}

fn tried(outcome: &Result<Outcome, Setback>) -> bool {
    !matches!(outcome, Err(Setback::NotBegun))
}

/// Whether this is the target's fault: whether it will not pass by itself, and why.
fn fault_of_target(outcome: &Result<Outcome, Setback>) -> Option<(bool, String)> {
    match outcome {
        Err(Setback::Failed(error @ (ReplicaError::TargetCorrupt { .. } | ReplicaError::Late))) => {
            Some((false, error.for_log()))
        }
        Err(Setback::Failed(error)) => Some((error.failure()? == Failure::Permanent, error.for_log())),
        _ => None,
    }
}
