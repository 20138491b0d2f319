//! The stack's queues of replication, and their dead letters.

use super::protocols::call;
use crate::harness::stack::stack;
use serde_json::{Value, json};

/// Sends a text to the replication queue that it belongs to: segments have one of their own.
pub(crate) async fn send_message(body: &str) {
    let message: Value = serde_json::from_str(body).unwrap_or_default();
    let queue = if message["step"] == "copy" {
        &stack().copy_queue_url
    } else {
        &stack().queue_url
    };
    let request = json!({ "QueueUrl": queue, "MessageBody": body });
    call("sqs", "AmazonSQS.SendMessage", &request).await;
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) body: String,
    /// Why; nothing if the queue itself moved it.
    pub(crate) reason: String,
    /// How often it was tried.
    pub(crate) tried: String,
}

/// All dead letters that were ever seen. They are back in their queue after a few seconds.
pub(crate) async fn dead_letters() -> Vec<DeadLetter> {
    // `.config/nextest.toml` lets no two tests read at the same time: they would make letters invisible to each other.
    static SEEN: tokio::sync::Mutex<Vec<DeadLetter>> = tokio::sync::Mutex::const_new(Vec::new());
    let mut seen = SEEN.lock().await;
    let request = json!({
        "QueueUrl": stack().dlq_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3,
        "MessageAttributeNames": ["All"],
    });
    loop {
        let answer = call("sqs", "AmazonSQS.ReceiveMessage", &request).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let before = seen.len();
        for letter in messages.iter().map(dead_letter) {
            if !seen.contains(&letter) {
                seen.push(letter);
            }
        }
        if seen.len() == before {
            return seen.clone();
        }
    }
}

fn dead_letter(message: &Value) -> DeadLetter {
    let attribute = |name: &str| {
        let value = message["MessageAttributes"][name]["StringValue"].as_str();
        value.unwrap_or_default().to_owned()
    };
    DeadLetter {
        body: message["Body"].as_str().unwrap().to_owned(),
        reason: attribute("reason"),
        tried: attribute("tried"),
    }
}
