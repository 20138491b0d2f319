//! What stands between queues and workers, as Lambda's event source mapping does it: takes a batch of messages, hands it
//! to a worker that has nothing to do, and deletes what the worker did not report as failed. The next batch is taken while
//! the workers are busy.

use crate::aws::AwsEndpoint;
use crate::stack::Mapping;
use crate::worker::Worker;
use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// When no worker did anything for so long, and no message is anywhere, it is time to ask whether all is done.
const QUIET: Duration = Duration::from_millis(200);

/// Messages of one queue, as `ReceiveMessage` returns them.
struct Batch {
    mapping: Mapping,
    messages: Vec<Value>,
}

/// What the tasks tell each other.
struct Shared {
    aws: AwsEndpoint,
    stopping: AtomicBool,
    /// Messages that were received and are not yet answered.
    at_work: AtomicUsize,
    /// Reported as failed.
    failed: AtomicUsize,
    /// When a worker answered last.
    answered: std::sync::Mutex<Option<Instant>>,
}

/// Queues being emptied by workers.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    pollers: Vec<JoinHandle<Result<()>>>,
    workers: Vec<JoinHandle<Result<Worker>>>,
}

impl Feed {
    pub(crate) fn start(aws: &AwsEndpoint, mappings: &[Mapping], workers: Vec<Worker>) -> Self {
        let shared = Arc::new(Shared {
            aws: aws.clone(),
            stopping: AtomicBool::new(false),
            at_work: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            answered: std::sync::Mutex::new(None),
        });
        // One queue of batches for all: whatever comes first is worked on first.
        let (give, take) = mpsc::channel(1);
        let take = Arc::new(Mutex::new(take));
        let pollers = mappings
            .iter()
            .map(|mapping| tokio::spawn(poll(Arc::clone(&shared), mapping.clone(), give.clone())));
        let pollers = pollers.collect();
        let workers = workers
            .into_iter()
            .map(|worker| tokio::spawn(work(Arc::clone(&shared), worker, Arc::clone(&take))));
        Self {
            pollers,
            workers: workers.collect(),
            shared,
        }
    }

    /// Waits until nothing is under way. Returns when a worker answered last.
    pub(crate) async fn quiet(&self) -> Result<Instant> {
        loop {
            tokio::time::sleep(QUIET / 4).await;
            for task in &self.workers {
                ensure!(
                    !task.is_finished(),
                    "a worker ended in the middle; its log says why"
                );
            }
            ensure!(
                self.pollers.iter().all(|task| !task.is_finished()),
                "the queues cannot be read"
            );
            let answered = self.shared.answered().filter(|at| at.elapsed() > QUIET);
            if let Some(at) = answered.filter(|_| self.shared.at_work.load(Ordering::SeqCst) == 0) {
                return Ok(at);
            }
        }
    }

    /// Ends everything, with no message half received. Returns the workers, and how many messages were redelivered.
    pub(crate) async fn stop(self) -> Result<(Vec<Worker>, usize)> {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for poller in self.pollers {
            poller.await??;
        }
        let workers = try_join_all(self.workers).await?;
        let workers = workers.into_iter().collect::<Result<_>>()?;
        Ok((workers, self.shared.failed.load(Ordering::SeqCst)))
    }
}

impl Shared {
    fn answered(&self) -> Option<Instant> {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_answer(&self, messages: usize) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.at_work.fetch_sub(messages, Ordering::SeqCst);
    }
}

/// Takes batches until it is told to stop.
async fn poll(shared: Arc<Shared>, mapping: Mapping, give: mpsc::Sender<Batch>) -> Result<()> {
    while !shared.stopping.load(Ordering::SeqCst) {
        let messages = receive(&shared, &mapping).await?;
        if messages.is_empty() {
            continue;
        }
        let mapping = mapping.clone();
        give.send(Batch { mapping, messages })
            .await
            .ok()
            .context("no worker is left")?;
    }
    Ok(())
}

async fn receive(shared: &Shared, mapping: &Mapping) -> Result<Vec<Value>> {
    let request = json!({
        "QueueUrl": mapping.queue_url,
        "MaxNumberOfMessages": mapping.batch_size,
        "WaitTimeSeconds": 1,
        "AttributeNames": ["All"],
    });
    let mut answer = shared
        .aws
        .json("sqs", "AmazonSQS.ReceiveMessage", &request)
        .await?;
    let messages = answer["Messages"]
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    shared.at_work.fetch_add(messages.len(), Ordering::SeqCst);
    Ok(messages)
}

/// Hands one batch after the other to a worker, until there are no more to come.
async fn work(
    shared: Arc<Shared>,
    mut worker: Worker,
    take: Arc<Mutex<mpsc::Receiver<Batch>>>,
) -> Result<Worker> {
    let mut deletions = Vec::new();
    loop {
        let Some(batch) = take.lock().await.recv().await else {
            try_join_all(deletions)
                .await?
                .into_iter()
                .collect::<Result<()>>()?;
            return Ok(worker);
        };
        let answer = worker.invoke(event(&batch)).await?;
        let (failed, done) = outcome(batch.messages, &answer);
        shared.failed.fetch_add(failed, Ordering::SeqCst);
        shared.note_answer(failed + done.len());
        // The worker need not wait for it.
        let shared = Arc::clone(&shared);
        deletions.push(tokio::spawn(async move {
            delete(&shared.aws, &batch.mapping, done).await
        }));
    }
}

/// The event that a function gets.
fn event(batch: &Batch) -> Value {
    let records = batch.messages.iter().map(|message| {
        json!({
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": batch.mapping.queue_arn,
            "awsRegion": "us-east-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// How many messages come again, and those that are done.
fn outcome(messages: Vec<Value>, answer: &Value) -> (usize, Vec<Value>) {
    let failures = answer["batchItemFailures"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let (failed, done): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| {
        failures
            .iter()
            .any(|failure| failure["itemIdentifier"] == message["MessageId"])
    });
    (failed.len(), done)
}

async fn delete(aws: &AwsEndpoint, mapping: &Mapping, done: Vec<Value>) -> Result<()> {
    if done.is_empty() {
        return Ok(());
    }
    let entries = done.iter().enumerate().map(|(id, message)| {
        json!({
            "Id": id.to_string(),
            "ReceiptHandle": message["ReceiptHandle"],
        })
    });
    let request = json!({ "QueueUrl": mapping.queue_url, "Entries": entries.collect::<Vec<_>>() });
    aws.json("sqs", "AmazonSQS.DeleteMessageBatch", &request).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_comes_again() {
        let messages = vec![json!({ "MessageId": "a" }), json!({ "MessageId": "b" })];
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] });
        assert_eq!(outcome(messages.clone(), &answer), (1, vec![messages[1].clone()]));
        assert_eq!(outcome(messages.clone(), &Value::Null), (0, messages));
    }
}
