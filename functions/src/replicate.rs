//! Hands the messages of a batch to the worker, and reports each that has to come again.

use crate::{Function, Invocation, Trigger};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::replica::Message;
use jiff::SignedDuration;
use service::configured_targets::{Targets, TargetsCache};
use service::replicate::replicator::Replicator;
use service::replicate::report::Report;
use service::replicate::worker::{Delivery, Verdict, Worker, defer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use store::queue::ATTEMPTS_ATTRIBUTE;
use store::{DeadLetters, Environment, Objects, Queue, StoreError, Table};
use telemetry::metrics::{Metric, emit};

pub static FUNCTION: Function = Function::triggered::<Replicate>().on_all_cores();

/// What is kept of the time the invocation has, to write failures down.
const RESERVE: Duration = Duration::from_secs(5);
/// When messages come again that cannot be worked on because the targets secret cannot be used.
const UNTIL_CONFIGURED: SignedDuration = SignedDuration::from_secs(60);

pub struct Replicate {
    table: Table,
    objects: Objects,
    queue: Queue,
    dead_letters: DeadLetters,
    max_attempts: u32,
    namespace: Option<String>,
    targets: TargetsCache,
}

impl Trigger for Replicate {
    type Input = SqsEvent;
    type Output = SqsBatchResponse;
    type Error = Infallible;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        let max_attempts = environment.number("MAX_RECEIVES")?;
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            queue: Queue::from_env(environment)?,
            dead_letters: DeadLetters::from_env(environment)?,
            max_attempts: u32::try_from(max_attempts).unwrap_or(u32::MAX),
            namespace: environment.optional("METRICS_NAMESPACE").map(str::to_owned),
            targets: TargetsCache::new(environment.clone()),
        })
    }

    async fn run(&self, event: SqsEvent, invocation: Invocation) -> Result<SqsBatchResponse, Infallible> {
        Ok(Box::pin(self.batch(event, &invocation)).await)
    }
}

impl Replicate {
    async fn batch(&self, event: SqsEvent, invocation: &Invocation) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        let (mut ids, mut deliveries) = (Vec::new(), Vec::new());
        for record in &event.records {
            let id = record.message_id.clone().unwrap_or_default();
            match delivery(record) {
                Ok(delivery) => {
                    ids.push(id);
                    deliveries.push(delivery);
                }
                Err(reason) if self.dead_letter(record, &reason).await => {}
                Err(_) => response.batch_item_failures.push(again(id)),
            }
        }
        for (id, verdict) in ids.into_iter().zip(self.work(&deliveries, invocation).await) {
            if verdict == Verdict::Again {
                response.batch_item_failures.push(again(id));
            }
        }
        response
    }

    async fn work(&self, deliveries: &[Delivery], invocation: &Invocation) -> Vec<Verdict> {
        if deliveries.is_empty() {
            return Vec::new();
        }
        let names: Vec<&str> = deliveries
            .iter()
            .map(|delivery| delivery.message.subject().1)
            .collect();
        let targets = match self.targets.get(&names).await {
            Ok(targets) => targets,
            Err(error) => {
                tracing::error!(
                    error = error.for_log(),
                    "the targets secret cannot be used; messages wait"
                );
                return self.wait_for_targets(deliveries).await;
            }
        };
        let worker = self.worker(targets, invocation);
        let deadline = invocation.deadline - RESERVE;
        let (verdicts, report) = worker.batch(deliveries, deadline).await;
        self.measure(report);
        verdicts
    }

    fn worker(&self, targets: Arc<Targets>, invocation: &Invocation) -> Worker {
        let (table, objects, queue) = (self.table.clone(), self.objects.clone(), self.queue.clone());
        Worker {
            replicator: Replicator::new(table, objects, queue, targets),
            dead_letters: self.dead_letters.clone(),
            max_attempts: self.max_attempts,
            // No two invocations have the same, so no two workers.
            name: format!("{}-{:x}", invocation.request_id, self.table.rng.random::<u64>()),
        }
    }

    async fn wait_for_targets(&self, deliveries: &[Delivery]) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for delivery in deliveries {
            let sent = defer(&self.table, &self.queue, delivery, UNTIL_CONFIGURED).await;
            verdicts.push(if sent.is_ok() {
                Verdict::Done
            } else {
                Verdict::Again
            });
        }
        verdicts
    }

    /// Puts what is no message of these queues to the dead letters. Returns whether that worked.
    async fn dead_letter(&self, record: &SqsMessage, reason: &str) -> bool {
        tracing::error!(
            message_id = record.message_id,
            reason,
            "a message that cannot be parsed"
        );
        let body = record.body.as_deref().unwrap_or_default();
        match self.dead_letters.put(body, reason, attempts(record)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "the message will be retried");
                false
            }
        }
    }

    fn measure(&self, report: Report) {
        for (target, done) in report.targets {
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).into();
            #[expect(clippy::cast_precision_loss, reason = "nobody counts single bytes of 2^53")]
            let bytes = done.bytes as f64;
            let metric = |name, unit, values| Metric { name, unit, values };
            let metrics = [
                metric("Attempts", "Count", vec![count(done.attempts)]),
                metric("Failures", "Count", vec![count(done.failures)]),
                metric("BytesCopied", "Bytes", vec![bytes]),
                metric("ReplicationLag", "Seconds", done.lags),
            ];
            emit(
                self.namespace.as_deref(),
                Some(&target),
                &metrics,
                self.table.now(),
            );
        }
    }
}

fn again(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

fn delivery(record: &SqsMessage) -> Result<Delivery, String> {
    let message = parse(record).map_err(|e| format!("not a message of this queue: {e}"))?;
    Ok(Delivery {
        message,
        receipt: record.receipt_handle.clone(),
        attempts: attempts(record),
    })
}

fn parse(record: &SqsMessage) -> Result<Message, serde_json::Error> {
    serde_json::from_str(record.body.as_deref().unwrap_or_default())
}

/// How often the message has been tried, this time included: how often it was received, and what it says of itself when
/// it was sent anew.
fn attempts(record: &SqsMessage) -> u32 {
    let received = record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    let before = record
        .message_attributes
        .get(ATTEMPTS_ATTRIBUTE)
        .and_then(|attribute| attribute.string_value.as_ref()?.parse::<u32>().ok());
    before.unwrap_or(0).saturating_add(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_this_queue_are_understood() {
        let mut record = SqsMessage::default();
        assert!(parse(&record).is_err());
        assert_eq!(attempts(&record), 1);
        record.body = Some(r#"{"step":"start","blob":"b","target":"ceph"}"#.to_owned());
        record
            .attributes
            .insert("ApproximateReceiveCount".to_owned(), "3".to_owned());
        assert!(matches!(parse(&record), Ok(Message::Start { .. })));
        assert_eq!(attempts(&record), 3);
    }

    #[test]
    fn the_sample_batches_are_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/replicate");
        let mut messages = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".expected.json") {
                continue;
            }
            let event: SqsEvent = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert!(!event.records.is_empty(), "{name}");
            for record in &event.records {
                messages += 1;
                assert_eq!(parse(record).is_ok(), name != "bad-input.json", "{name}");
                assert_eq!(attempts(record), 1, "{name}");
                // Without these a failure could not be told, and the message not be put back.
                assert!(
                    record.message_id.is_some() && record.receipt_handle.is_some(),
                    "{name}"
                );
            }
        }
        assert!(messages > 0);
    }
}
