//! Works on a batch of messages at once, and reports each that has to come again.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use domain::replica::{Message, back_off};
use futures::future::join_all;
use lambda_runtime::Context;
use replicas::{ReplicaError, Replicator, Targets};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use store::rows::now;
use store::{Aws, Objects, Queue, StoreError, Table};
use tokio::sync::Mutex;

/// How long the targets secret is believed: a target that was added or changed is known after this.
const TARGETS_FRESH: Duration = Duration::from_secs(30);
/// What is kept of the time the invocation has, to write failures down.
const RESERVE: Duration = Duration::from_secs(5);

pub(crate) struct Replicate {
    aws: Aws,
    table: Table,
    objects: Objects,
    queue: Queue,
    max_receives: u64,
    targets: Mutex<Option<(Instant, Arc<Targets>)>>,
}

impl Replicate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            queue: Queue::from_env(&aws)?,
            max_receives: store::config::number("MAX_RECEIVES")?,
            targets: Mutex::new(None),
            aws,
        })
    }

    pub(crate) async fn batch(&self, event: SqsEvent, context: &Context) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        let outcomes = match self.targets().await {
            Ok(targets) => {
                let (table, objects, queue) = (self.table.clone(), self.objects.clone(), self.queue.clone());
                let replicator = Replicator::new(table, objects, queue, targets);
                let left = edge::deadline(context)
                    .duration_since(SystemTime::now())
                    .unwrap_or_default();
                let time = left.saturating_sub(RESERVE);
                join_all(
                    event
                        .records
                        .iter()
                        .map(|record| attempt(&replicator, record, time)),
                )
                .await
            }
            Err(error) => {
                tracing::error!(error = error.for_log(), "the targets cannot be read");
                let reason = error.to_string();
                event.records.iter().map(|_| Err(reason.clone())).collect()
            }
        };
        for (record, outcome) in event.records.iter().zip(outcomes) {
            if let Err(reason) = outcome {
                self.failed(record, &reason).await;
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = record.message_id.clone().unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    async fn targets(&self) -> Result<Arc<Targets>, ReplicaError> {
        let mut cached = self.targets.lock().await;
        if let Some((_, targets)) = cached
            .as_ref()
            .filter(|(read_at, _)| read_at.elapsed() < TARGETS_FRESH)
        {
            return Ok(Arc::clone(targets));
        }
        let targets = Arc::new(Targets::from_env(&self.aws).await?);
        *cached = Some((Instant::now(), Arc::clone(&targets)));
        Ok(targets)
    }

    /// Writes the failure down where users see it, and lets the message come again later and later. When it
    /// has come too often, the queue moves it to the dead letters.
    async fn failed(&self, record: &SqsMessage, reason: &str) {
        let receives = receive_count(record);
        let given_up = u64::from(receives) >= self.max_receives;
        tracing::warn!(
            message = record.message_id,
            receives,
            given_up,
            reason,
            "replication attempt failed"
        );
        if let Ok(message) = parse(record) {
            let (blob, target) = message.subject();
            let written = self
                .table
                .record_failure(blob, target, reason, given_up, now())
                .await;
            if let Err(error) = written {
                tracing::warn!(%blob, target, error = error.for_log(), "the failure could not be written down");
            }
        }
        let Some(receipt) = record.receipt_handle.as_deref().filter(|_| !given_up) else {
            return;
        };
        // Without this the message comes again when the queue's visibility time-out is over.
        if let Err(error) = self
            .queue
            .retry_after(receipt, back_off(receives, rand::random()))
            .await
        {
            tracing::warn!(
                message = record.message_id,
                error = error.for_log(),
                "the message comes again later than it could"
            );
        }
    }
}

async fn attempt(replicator: &Replicator, record: &SqsMessage, time: Duration) -> Result<(), String> {
    let message = parse(record).map_err(|e| format!("not a message of this queue: {e}"))?;
    match tokio::time::timeout(time, replicator.handle(&message)).await {
        Ok(done) => done.map_err(|error| {
            tracing::warn!(
                message = record.message_id,
                error = error.for_log(),
                "an attempt failed"
            );
            error.to_string()
        }),
        Err(_) => Err("there was not enough time to finish".to_owned()),
    }
}

fn parse(record: &SqsMessage) -> Result<Message, serde_json::Error> {
    serde_json::from_str(record.body.as_deref().unwrap_or_default())
}

/// How often the message has been received, this time included.
fn receive_count(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_this_queue_are_understood() {
        let mut record = SqsMessage::default();
        assert!(parse(&record).is_err());
        assert_eq!(receive_count(&record), 1);
        record.body = Some(r#"{"step":"start","blob":"b","target":"ceph"}"#.to_owned());
        record
            .attributes
            .insert("ApproximateReceiveCount".to_owned(), "3".to_owned());
        assert!(matches!(parse(&record), Ok(Message::Start { .. })));
        assert_eq!(receive_count(&record), 3);
    }

    #[test]
    fn the_sample_batches_are_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/replicate");
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
                assert_eq!(receive_count(record), 1, "{name}");
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
