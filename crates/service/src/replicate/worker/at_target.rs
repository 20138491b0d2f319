//! All messages of a batch that are about one target.

use super::asked::{Asked, fault_of_target, says_nothing};
use super::batch::Batch;
use super::delivery::{AttemptError, Delivery, OUR_SIDE, Verdict};
use super::gather::gather;
use super::held_leases::HeldLeases;
use super::places::Worker;
use crate::replicate::replicator::{MessageResult, Task};
use crate::replicate::report::Report;
use domain::circuit::{Admission, FIRST_WAIT, News, OPEN_AFTER};
use domain::replica::{Message, SegmentPlan};
use futures::future::join_all;
use jiff::SignedDuration;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use store::replicas::arriving::{ARRIVALS, Arrival};
use store::rows::BlobRow;
use targets::error::ReplicaError;
use tokio::time::{Instant, timeout_at};

/// How many messages are processed at a time.
const AT_ONCE: usize = 16;
/// For how long arrivals wait for others, if nothing else happens.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(2);

/// One target, with what is needed to work on its messages.
pub(super) struct AtTarget<'a> {
    pub(super) worker: &'a Worker,
    pub(super) target: &'a str,
    pub(super) held_leases: &'a HeldLeases,
    /// When all has to be done.
    pub(super) deadline: Instant,
    /// How often in a row the target has failed: at [`OPEN_AFTER`] what was not begun is left.
    failures: AtomicU32,
    /// A replica was left without a message.
    pub(super) parked: AtomicBool,
    /// The circuit was opened, or left open for longer: a probe has to come.
    pub(super) opened: AtomicBool,
}

/// The outcome of messages.
struct BatchResult {
    outcomes: Vec<Result<MessageResult, AttemptError>>,
    /// The target did something of what it was asked for.
    went: bool,
}

impl<'a> AtTarget<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        target: &'a str,
        held_leases: &'a HeldLeases,
        deadline: Instant,
    ) -> Self {
        Self {
            worker,
            target,
            held_leases,
            deadline,
            failures: AtomicU32::new(0),
            parked: AtomicBool::new(false),
            opened: AtomicBool::new(false),
        }
    }

    /// Processes messages, if the circuit is closed. Returns the outcome of each, and what was done.
    pub(super) async fn work(&self, deliveries: &[&Delivery]) -> (Vec<Verdict>, Report) {
        let done = self.work_if_it_may(deliveries).await;
        self.see_to_those_that_wait().await;
        done
    }

    async fn work_if_it_may(&self, deliveries: &[&Delivery]) -> (Vec<Verdict>, Report) {
        let mut report = Report::default();
        let table = self.worker.table();
        if self.worker.has_places(self.target)
            && let Ok(row) = table.circuits().get(self.target).await
            && let (Admission::Wait(until), _) = row.circuit.ask(self.worker.table().now())
        {
            // An open circuit needs no slot.
            return (self.park_all(deliveries, until).await, report);
        }
        let slot = match self.worker.slot(self.target, self.held_leases).await {
            Ok(slot) => slot,
            Err(wait) => return (self.defer_all(deliveries, wait).await, report),
        };
        let verdicts = match table.circuits().ask(self.target, self.worker.table().now()).await {
            Ok((Admission::Wait(until), _)) => self.park_all(deliveries, until).await,
            Ok((admission, circuit)) => {
                let asked = Asked::after(admission, &circuit);
                self.admitted(deliveries, asked, &mut report).await
            }
            Err(error) => {
                tracing::warn!(error = error.for_log(), "the target's circuit cannot be read");
                self.defer_all(deliveries, OUR_SIDE).await
            }
        };
        if let Some(slot) = slot {
            self.worker.leave(self.target, slot, self.held_leases).await;
        }
        (verdicts, report)
    }

    async fn admitted(&self, deliveries: &[&Delivery], asked: Asked, report: &mut Report) -> Vec<Verdict> {
        let batch = match Batch::read(self.worker.table(), deliveries).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "a batch's items cannot be read");
                return self.defer_all(deliveries, OUR_SIDE).await;
            }
        };
        if asked.probe.is_none() {
            return self.together(deliveries, &batch, asked, report).await.0;
        }
        let (mut verdicts, mut rest) = (Vec::new(), deliveries);
        // One message after the other until one succeeds. If the target fails instead, the others wait.
        while let Some((first, others)) = rest.split_first() {
            let (verdict, answered) = self.probe(first, &batch, asked, report).await;
            verdicts.push(verdict);
            rest = others;
            match answered {
                Some(true) => {
                    verdicts.extend(self.together(rest, &batch, Asked::CLOSED, report).await.0);
                    return verdicts;
                }
                Some(false) => {
                    verdicts.extend(self.park_all(others, self.worker.table().now()).await);
                    return verdicts;
                }
                // Nothing was to be done for it.
                None => {}
            }
        }
        self.tell(News::Unasked, None, asked).await;
        verdicts
    }

    /// Tries a message as the probe. One that begins a replica of several parts is not enough: a target that is full takes
    /// that, too, and the messages about its segments would not be admitted.
    async fn probe(
        &self,
        delivery: &Delivery,
        batch: &Batch,
        asked: Asked,
        report: &mut Report,
    ) -> (Verdict, Option<bool>) {
        let (mut verdicts, answered) = self.together(&[delivery], batch, asked, report).await;
        let verdict = verdicts.pop().unwrap_or(Verdict::Again);
        if answered.is_some()
            || verdict != Verdict::Done
            || !matches!(delivery.message, Message::Start { .. })
        {
            return (verdict, answered);
        }
        let (blob, target) = delivery.message.subject();
        let further = match self.worker.replicator.further(blob, target).await {
            Ok(Some(message)) => Delivery {
                message,
                receipt: None,
                attempts: delivery.attempts,
            },
            Ok(None) => return (verdict, None),
            Err(error) => {
                tracing::warn!(%blob, target, error = error.for_log(), "the next step is not known");
                return (verdict, None);
            }
        };
        let Ok(batch) = Batch::read(self.worker.table(), &[&further]).await else {
            return (verdict, None);
        };
        let (_, answered) = self.together(&[&further], &batch, asked, report).await;
        (verdict, answered)
    }

    /// Processes messages concurrently. Returns the outcome of each, and whether the target works, if it was
    /// asked for anything.
    async fn together(
        &self,
        deliveries: &[&Delivery],
        batch: &Batch,
        asked: Asked,
        report: &mut Report,
    ) -> (Vec<Verdict>, Option<bool>) {
        let BatchResult { outcomes, went } = self.try_all(deliveries, batch, report).await;
        report.attempts(
            self.target,
            outcomes.iter().filter(|outcome| tried(outcome)).count(),
        );
        let failed = |outcome: &&Result<_, _>| tried(outcome) && outcome.is_err();
        report.failures(self.target, outcomes.iter().filter(failed).count());
        let answered = self.tell_circuit(&outcomes, went, asked).await;
        let now = self.worker.table().now();
        let verdicts = deliveries
            .iter()
            .zip(outcomes)
            .map(|(delivery, outcome)| async move {
                match outcome {
                    Ok(_) => Verdict::Done,
                    Err(AttemptError::NotBegun) if self.has_failed() => self.park(delivery, FIRST_WAIT).await,
                    Err(AttemptError::NotBegun) => {
                        let at_once = SignedDuration::ZERO;
                        self.worker.defer(delivery, self.held_leases, at_once).await
                    }
                    Err(AttemptError::Failed(error)) if says_nothing(delivery, batch, asked, &error, now) => {
                        tracing::warn!(step = ?delivery.message, error = error.for_log(), "the probe failed");
                        self.park(delivery, FIRST_WAIT).await
                    }
                    Err(AttemptError::Failed(error)) => {
                        self.worker.set_back(delivery, self.held_leases, &error).await
                    }
                    Err(AttemptError::Untidy(error)) => {
                        self.worker.leave_untidy(delivery, self.held_leases, &error).await
                    }
                }
            });
        (join_all(verdicts).await, answered)
    }

    /// Tries messages, some at a time, and records what arrived, in batches.
    async fn try_all(&self, deliveries: &[&Delivery], batch: &Batch, report: &mut Report) -> BatchResult {
        let attempts = deliveries.iter().map(|delivery| self.attempt(delivery, batch));
        let arrival = |outcome: &Result<MessageResult, AttemptError>| match outcome {
            Ok(MessageResult::Arrived(arrival)) => Some((**arrival).clone()),
            _ => None,
        };
        let write = async |arrivals| self.write_arrivals(arrivals).await;
        let (tried, written) = gather(attempts, (AT_ONCE, ARRIVALS, WAIT_FOR_OTHERS), arrival, write).await;
        let mut outcomes: Vec<_> = tried
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Err(AttemptError::NotBegun)))
            .collect();
        let went = |outcome: &Result<MessageResult, _>| matches!(outcome, Ok(done) if !matches!(done, MessageResult::Nothing));
        let went = outcomes.iter().any(went);
        for outcome in &outcomes {
            if let Ok(MessageResult::Copied(bytes)) = outcome {
                report.copied(self.target, *bytes);
            }
        }
        for (index, settled, arrival) in written.into_iter().flatten() {
            match settled {
                Settled::Unwritten(setback) => outcomes[index] = Err(setback),
                Settled::Written(tidied) => {
                    let lag = self.worker.table().now().duration_since(arrival.replica.since);
                    report.arrived(self.target, lag, arrival.copied);
                    if let Err(setback) = tidied {
                        outcomes[index] = Err(setback);
                    }
                }
            }
        }
        BatchResult { outcomes, went }
    }

    /// The target has failed so often in a row that its circuit is open.
    fn has_failed(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= OPEN_AFTER
    }

    async fn attempt(&self, delivery: &Delivery, batch: &Batch) -> Result<MessageResult, AttemptError> {
        if Instant::now() >= self.deadline || self.has_failed() {
            return Err(AttemptError::NotBegun);
        }
        let (blob, _) = delivery.message.subject();
        let job = batch
            .job(blob)
            .map_err(|error| AttemptError::Failed(error.into()))?;
        let Some((row, replica)) = job else {
            // It was reclaimed, or removed from the target.
            return Ok(MessageResult::Nothing);
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
            None if matches!(outcome, Ok(MessageResult::Copied(_) | MessageResult::Arrived(_))) => {
                self.failures.store(0, Ordering::Relaxed);
            }
            None => {}
        }
        if again && matches!(outcome, Ok(MessageResult::Nothing | MessageResult::Copied(_))) {
            let looked = timeout_at(self.deadline, self.worker.look_again(delivery, None));
            looked.await.unwrap_or(Err(AttemptError::NotBegun))?;
        }
        outcome
    }

    async fn handle(&self, task: Task<'_>) -> Result<MessageResult, AttemptError> {
        let blob = task.blob.id.clone();
        let (bytes, begun) = (bytes_of(task.message, &task.blob), Instant::now());
        match timeout_at(self.deadline, self.worker.replicator.handle(task)).await {
            Err(_) => Err(AttemptError::Failed(ReplicaError::Late {
                target: self.target.to_owned(),
                bytes,
                seconds: begun.elapsed().as_secs(),
            })),
            Ok(Err(ReplicaError::NoTime)) => Err(AttemptError::NotBegun),
            Ok(Err(ReplicaError::Unknown(name))) => {
                // There are no credentials for it. Its replicas are forgotten in time, or it comes back.
                tracing::warn!(%blob, target = name, "a message for a target that is not configured");
                Ok(MessageResult::Nothing)
            }
            Ok(Err(error)) => Err(AttemptError::Failed(error)),
            Ok(Ok(done)) => Ok(done),
        }
    }

    /// Records which replicas are available now. Where that fails, their messages are retried.
    async fn write_arrivals(&self, arrivals: Vec<(usize, Arrival)>) -> Vec<(usize, Settled, Arrival)> {
        let rows = arrivals.iter().map(|(_, arrival)| arrival.clone()).collect();
        let written = self
            .worker
            .table()
            .replicas()
            .arrive(rows, self.worker.table().now())
            .await;
        let settled = arrivals.into_iter().map(async |(index, arrival)| {
            let settled = match &written {
                Ok(()) => Settled::Written(self.tidy_up(&arrival).await),
                Err(error) => Settled::Unwritten(AttemptError::Failed(error.clone().into())),
            };
            (index, settled, arrival)
        });
        join_all(settled).await
    }

    async fn tidy_up(&self, arrival: &Arrival) -> Result<(), AttemptError> {
        if arrival.replica.multipart_id.is_none() {
            return Ok(());
        }
        let replicator = &self.worker.replicator;
        let tidied = replicator.abort_all_multiparts(&arrival.replica.blob, self.target);
        match timeout_at(self.deadline, tidied).await {
            Ok(tidied) => tidied.map_err(AttemptError::Untidy),
            Err(_) => Err(AttemptError::Untidy(ReplicaError::NoTime)),
        }
    }

    async fn defer_all(&self, deliveries: &[&Delivery], wait: SignedDuration) -> Vec<Verdict> {
        self.worker.defer_all(deliveries, self.held_leases, wait).await
    }
}

/// The result of recording an arrival.
enum Settled {
    /// It is recorded; whether something was left at the target.
    Written(Result<(), AttemptError>),
    Unwritten(AttemptError),
}

/// How many bytes a message is about.
fn bytes_of(message: &Message, blob: &BlobRow) -> u64 {
    let Message::Copy { segment, .. } = message else {
        return blob.size;
    };
    let of_segment = || {
        let plan = blob.parts().ok()?;
        let parts = SegmentPlan::of(&plan).parts(*segment)?;
        Some(parts.filter_map(|part| plan.part_length(part)).sum())
    };
    of_segment().unwrap_or(blob.size)
}

fn tried(outcome: &Result<MessageResult, AttemptError>) -> bool {
    !matches!(outcome, Err(AttemptError::NotBegun))
}
