//! What invokes functions besides the gateway: messages and schedules.

use crate::cloud::Cloud;
use crate::lambda::{Lambda, Outcome};
use crate::sqs::Message;
use crate::template::Source;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// How long nobody looks for messages where none are going to be visible.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Works on the messages of a queue, one batch after the other, for ever: one of the function's concurrent invocations.
pub async fn consume(cloud: &Cloud, lambda: &Lambda, function: &str, source: &Source) {
    loop {
        if consume_batch(cloud, lambda, function, source).await.is_none() {
            wait_for_messages(cloud, &source.queue).await;
        }
    }
}

/// Works on one batch. Returns how that ended; none when there were no messages.
pub async fn consume_batch(
    cloud: &Cloud,
    lambda: &Lambda,
    function: &str,
    source: &Source,
) -> Option<Outcome<Value>> {
    let now = cloud.now();
    let received = cloud.services().sqs.receive(&source.queue, source.batch, now);
    let received = received.unwrap_or_default();
    if received.is_empty() {
        return None;
    }
    cloud.count(|counts| counts.request("SQS ReceiveMessage by Lambda"));
    let records: Vec<Value> = received
        .iter()
        .map(|message| record(&source.queue, message))
        .collect();
    // What a function that fails or dies had comes again when it is visible again.
    let outcome = lambda.event(function, json!({ "Records": records })).await;
    if let Outcome::Answered(answer) = &outcome {
        let failures = answer["batchItemFailures"].as_array();
        let failed = |id: &str| {
            failures
                .into_iter()
                .flatten()
                .any(|failure| failure["itemIdentifier"] == id)
        };
        let done: Vec<_> = received.iter().filter(|message| !failed(&message.id)).collect();
        if !done.is_empty() {
            cloud.count(|counts| counts.request("SQS DeleteMessageBatch by Lambda"));
        }
        let sqs = &mut cloud.services().sqs;
        for message in done {
            // One that was received again meanwhile stays.
            let _ = sqs.delete(&source.queue, &message.receipt);
        }
    }
    Some(outcome)
}

async fn wait_for_messages(cloud: &Cloud, queue: &str) {
    let visible_at = cloud.services().sqs.next_visible_at(queue).ok().flatten();
    let wait = visible_at.map_or(LONGEST_WAIT, |at| {
        at.duration_since(cloud.now()).unsigned_abs().min(LONGEST_WAIT)
    });
    tokio::select! {
        biased;
        () = cloud.queues_changed() => sleep(Duration::from_millis(5)).await,
        () = sleep(wait.max(Duration::from_millis(5))) => {}
    }
}

/// Invokes a function again and again, for ever.
pub async fn schedule(lambda: &Lambda, function: &str, every: Duration) {
    loop {
        let _ = lambda.event(function, json!({})).await;
        sleep(every).await;
    }
}

/// As Lambda hands a message over.
fn record(queue: &str, message: &Message) -> Value {
    let attributes: Map<_, _> = message
        .message_attributes
        .iter()
        .map(|(name, attribute)| {
            let value = json!({
                "stringValue": attribute.string_value,
                "dataType": attribute.data_type,
                "stringListValues": [],
                "binaryListValues": [],
            });
            (name.clone(), value)
        })
        .collect();
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.attributes,
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
        "awsRegion": "us-east-1",
    })
}
