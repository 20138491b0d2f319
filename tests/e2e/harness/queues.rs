//! Queues that nobody else reads, and what Lambda does with received messages: it hands them over, and deletes those that
//! the worker does not want again.

use super::aws::call;
use super::bytes::unique;
use super::sandbox::Sandbox;
use super::signed::send_signed;
use super::stack::stack;
use serde_json::{Map, Value, json};

/// Queues of a test's own, by their addresses.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    /// For what begins and ends replicas.
    pub(crate) start: String,
    /// For segments.
    pub(crate) copy: String,
    dead_letters: String,
}

async fn sqs(operation: &str, request: &Value) -> Value {
    call("sqs", &format!("AmazonSQS.{operation}"), request).await
}

/// Says something about a message that was received. SQS may have given it to somebody else since, or have deleted it.
async fn about_received(operation: &str, request: &Value) {
    let target = format!("AmazonSQS.{operation}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let url = format!("{}/", stack().url_of("sqs"));
    let answer = send_signed("sqs", "POST", &url, &headers, request.to_string()).await;
    let known = answer.status == 200 || answer.text().contains("ReceiptHandleIsInvalid");
    assert!(known, "{operation} {request}: {}", answer.text());
}

impl Queues {
    pub(crate) async fn new() -> Self {
        let id = unique();
        let make = async |name: &str| {
            let attributes = json!({ "VisibilityTimeout": "30" });
            let request = json!({ "QueueName": format!("e2e-{id:x}-{name}"), "Attributes": attributes });
            let made = sqs("CreateQueue", &request).await;
            made["QueueUrl"].as_str().unwrap().to_owned()
        };
        Self {
            start: make("start").await,
            copy: make("copy").await,
            dead_letters: make("dead").await,
        }
    }

    /// Those of the stack itself.
    pub(crate) fn of_the_stack() -> Self {
        Self {
            start: stack().queue_url.clone(),
            copy: stack().copy_queue_url.clone(),
            dead_letters: stack().dlq_url.clone(),
        }
    }

    /// The environment of functions that use these queues.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 3] {
        [
            ("REPLICATE_QUEUE_URL", &self.start),
            ("COPY_QUEUE_URL", &self.copy),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letters),
        ]
    }

    /// Has a blob copied to a target.
    pub(crate) async fn start(&self, blob: &str, target: &str) {
        let body = json!({ "step": "start", "blob": blob, "target": target }).to_string();
        sqs(
            "SendMessage",
            &json!({ "QueueUrl": self.start, "MessageBody": body }),
        )
        .await;
    }

    /// How many messages there are, received ones included.
    pub(crate) async fn waiting(&self) -> u64 {
        count(&self.start).await + count(&self.copy).await
    }

    /// Forgets all messages, as if they had never been sent.
    pub(crate) async fn forget(&self) {
        for queue in [&self.start, &self.copy] {
            sqs("PurgeQueue", &json!({ "QueueUrl": queue })).await;
        }
    }

    /// How many dead letters there are, those that somebody has taken out included.
    pub(crate) async fn dead_letter_count(&self) -> u64 {
        count(&self.dead_letters).await
    }

    /// Takes out all dead letters: text and reason.
    pub(crate) async fn dead_letters(&self) -> Vec<(Value, String)> {
        let mut letters = Vec::new();
        loop {
            let some = receive(&self.dead_letters, 10).await;
            if some.is_empty() {
                return letters;
            }
            letters.extend(some.iter().map(|letter| {
                let reason = &letter["MessageAttributes"]["reason"]["StringValue"];
                let body = serde_json::from_str(letter["Body"].as_str().unwrap()).unwrap();
                (body, reason.as_str().unwrap_or_default().to_owned())
            }));
        }
    }

    /// Hands over to a worker what can be received at once of each queue. Returns the number of messages.
    pub(crate) async fn hand_over(&self, worker: &mut Sandbox) -> usize {
        let mut messages = 0;
        for (queue, most) in [(&self.start, 10), (&self.copy, 1)] {
            let records = receive(queue, most).await.into_iter().map(|message| Record {
                record: record(&message, 0),
                queue: queue.clone(),
            });
            let batch: Vec<Record> = records.collect();
            if batch.is_empty() {
                continue;
            }
            let records: Vec<&Value> = batch.iter().map(|record| &record.record).collect();
            // If it was killed, its messages come again.
            if let Some(answer) = worker.invoke(&json!({ "Records": records })).await {
                settle(&batch, &answer).await;
            }
            messages += batch.len();
        }
        messages
    }

    pub(crate) async fn delete(self) {
        for queue in [&self.start, &self.copy, &self.dead_letters] {
            sqs("DeleteQueue", &json!({ "QueueUrl": queue })).await;
        }
    }
}

/// How many messages a queue has: visible, received, and kept back.
async fn count(queue: &str) -> u64 {
    let names = ["", "NotVisible", "Delayed"].map(|kind| format!("ApproximateNumberOfMessages{kind}"));
    let request = json!({ "QueueUrl": queue, "AttributeNames": names });
    let answer = sqs("GetQueueAttributes", &request).await;
    let number = |name: &String| answer["Attributes"][name].as_str()?.parse::<u64>().ok();
    names.iter().filter_map(number).sum()
}

/// Receives some messages of a queue, as SQS returns them.
pub(crate) async fn receive(queue: &str, most: usize) -> Vec<Value> {
    let request = json!({
        "QueueUrl": queue, "MaxNumberOfMessages": most,
        "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
    });
    let answer = sqs("ReceiveMessage", &request).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

/// A message in the form in which functions get it.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) record: Value,
    /// Where it came from.
    pub(crate) queue: String,
}

/// A message as functions get it.
pub(crate) fn record(message: &Value, copy: usize) -> Value {
    let attributes = message["MessageAttributes"].as_object();
    let attributes: Map<String, Value> = attributes
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let plain = json!({ "dataType": value["DataType"], "stringValue": value["StringValue"] });
            (name.clone(), plain)
        })
        .collect();
    json!({
        "messageId": format!("{}-{copy}", message["MessageId"].as_str().unwrap()),
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:e2e",
        "awsRegion": "us-east-1",
    })
}

/// Deletes what the worker is done with. It has said itself when the others come again.
pub(crate) async fn settle(batch: &[Record], answer: &Value) {
    let failures = answer["batchItemFailures"].as_array();
    let failures = failures.unwrap_or_else(|| panic!("a worker answers {answer}"));
    for Record { record, queue } in batch {
        let failed = failures
            .iter()
            .any(|failure| failure["itemIdentifier"] == record["messageId"]);
        if !failed {
            let request = json!({ "QueueUrl": queue, "ReceiptHandle": record["receiptHandle"] });
            about_received("DeleteMessage", &request).await;
        }
    }
}

/// Lets others have messages whose worker died.
pub(crate) async fn show_again(batch: &[Record]) {
    for Record { record, queue } in batch {
        let request = json!({
            "QueueUrl": queue, "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": 0,
        });
        about_received("ChangeMessageVisibility", &request).await;
    }
}
