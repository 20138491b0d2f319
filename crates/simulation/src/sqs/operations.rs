//! The operations, as they are on the wire.

use super::error::SqsError;
use super::message::{self, Attributes, Message, MessageAttribute};
use super::queues::{Queues, check_visibility};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many messages one call may be about.
const MOST: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessage {
    queue_url: String,
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, AttributeValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AttributeValue {
    data_type: String,
    #[serde(default)]
    string_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Batch<E> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<E>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendEntry {
    id: String,
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, AttributeValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct VisibilityEntry {
    id: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

/// Does an operation, and returns the body of its answer.
pub(super) fn run(
    queues: &mut Queues,
    operation: &str,
    parameters: Value,
    now: Timestamp,
) -> Result<Value, SqsError> {
    match operation {
        "SendMessage" => send(queues, read(parameters)?, now),
        "SendMessageBatch" => send_batch(queues, read(parameters)?, now),
        "ReceiveMessage" => receive(queues, &read(parameters)?, now),
        "DeleteMessage" => {
            let asked: DeleteMessage = read(parameters)?;
            queues.delete(&asked.queue_url, &asked.receipt_handle)?;
            Ok(json!({}))
        }
        "ChangeMessageVisibility" => {
            let asked: ChangeMessageVisibility = read(parameters)?;
            let (url, receipt) = (&asked.queue_url, &asked.receipt_handle);
            queues.change_visibility(url, receipt, asked.visibility_timeout, now)?;
            Ok(json!({}))
        }
        "ChangeMessageVisibilityBatch" => change_visibility_batch(queues, &read(parameters)?, now),
        _ => Err(SqsError::not_implemented(&format!(
            "the simulation's SQS has no {operation}"
        ))),
    }
}

/// What is not known here is refused rather than left out.
fn read<P: DeserializeOwned>(parameters: Value) -> Result<P, SqsError> {
    serde_json::from_value(parameters)
        .map_err(|error| SqsError::not_implemented(&format!("a parameter for the simulation's SQS: {error}")))
}

fn attributes(values: BTreeMap<String, AttributeValue>) -> Attributes {
    let attribute = |(name, value): (String, AttributeValue)| {
        let AttributeValue {
            data_type,
            string_value,
        } = value;
        (
            name,
            MessageAttribute {
                data_type,
                string_value,
            },
        )
    };
    values.into_iter().map(attribute).collect()
}

/// What the answer to a message that was sent says of it.
fn accepted(
    queues: &mut Queues,
    url: &str,
    body: &str,
    attributes: Attributes,
    delay_seconds: Option<i64>,
    now: Timestamp,
) -> Result<Map<String, Value>, SqsError> {
    let digest = message::md5_of_attributes(&attributes);
    let id = queues.send(url, body, attributes, delay_seconds, now)?;
    let mut answer = Map::new();
    answer.insert("MessageId".to_owned(), json!(id));
    answer.insert("MD5OfMessageBody".to_owned(), json!(message::md5_of_body(body)));
    if let Some(digest) = digest {
        answer.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
    }
    Ok(answer)
}

fn send(queues: &mut Queues, asked: SendMessage, now: Timestamp) -> Result<Value, SqsError> {
    let (body, attributes) = (&asked.message_body, attributes(asked.message_attributes));
    accepted(
        queues,
        &asked.queue_url,
        body,
        attributes,
        asked.delay_seconds,
        now,
    )
    .map(Value::Object)
}

fn send_batch(queues: &mut Queues, asked: Batch<SendEntry>, now: Timestamp) -> Result<Value, SqsError> {
    let url = asked.queue_url;
    queues.check(&url)?;
    check_ids(
        "SendMessageBatchRequestEntry",
        asked.entries.iter().map(|entry| entry.id.as_str()),
    )?;
    let entries = asked.entries.into_iter().map(|entry| {
        let attributes = attributes(entry.message_attributes);
        (entry.id, entry.message_body, attributes, entry.delay_seconds)
    });
    let entries: Vec<_> = entries.collect();
    let sizes = entries
        .iter()
        .map(|(_, body, attributes, _)| message::size(body, attributes));
    let bytes: usize = sizes.sum();
    if bytes > message::LONGEST {
        return Err(SqsError::batch_too_long(bytes));
    }
    let mut results = Results::default();
    for (id, body, attributes, delay) in entries {
        results.add(id, accepted(queues, &url, &body, attributes, delay, now));
    }
    Ok(results.body())
}

fn change_visibility_batch(
    queues: &mut Queues,
    asked: &Batch<VisibilityEntry>,
    now: Timestamp,
) -> Result<Value, SqsError> {
    queues.check(&asked.queue_url)?;
    let ids = asked.entries.iter().map(|entry| entry.id.as_str());
    check_ids("ChangeMessageVisibilityBatchRequestEntry", ids)?;
    let mut results = Results::default();
    for entry in &asked.entries {
        let (receipt, seconds) = (&entry.receipt_handle, entry.visibility_timeout);
        let changed = queues.change_visibility(&asked.queue_url, receipt, seconds, now);
        results.add(entry.id.clone(), changed.map(|()| Map::new()));
    }
    Ok(results.body())
}

/// What became of each entry of a batch.
#[derive(Default)]
struct Results {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Results {
    fn add(&mut self, id: String, result: Result<Map<String, Value>, SqsError>) {
        match result {
            Ok(mut answer) => {
                answer.insert("Id".to_owned(), Value::String(id));
                self.successful.push(Value::Object(answer));
            }
            Err(error) => self.failed.push(json!({
                "Id": id,
                "SenderFault": true,
                "Code": error.code(),
                "Message": error.message(),
            })),
        }
    }

    fn body(self) -> Value {
        json!({ "Successful": self.successful, "Failed": self.failed })
    }
}

fn check_ids<'a>(entry: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), SqsError> {
    let ids: Vec<&str> = ids.collect();
    if ids.is_empty() {
        return Err(SqsError::empty_batch(entry));
    }
    if ids.len() > MOST {
        return Err(SqsError::too_many_entries(ids.len()));
    }
    let mut met = BTreeSet::new();
    for id in ids {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if id.is_empty() || id.len() > 80 || !id.chars().all(is_plain) {
            return Err(SqsError::entry_id());
        }
        if !met.insert(id) {
            return Err(SqsError::same_id(id));
        }
    }
    Ok(())
}

fn receive(queues: &mut Queues, asked: &ReceiveMessage, now: Timestamp) -> Result<Value, SqsError> {
    queues.check(&asked.queue_url)?;
    let most = asked.max_number_of_messages.unwrap_or(1);
    let most_as_count = usize::try_from(most)
        .ok()
        .filter(|most| (1..=MOST).contains(most));
    let Some(count) = most_as_count else {
        let reason = "Must be between 1 and 10, if provided.";
        return Err(SqsError::value(most, "MaxNumberOfMessages", reason));
    };
    let wait = asked.wait_time_seconds.unwrap_or(0);
    if !(0..=20).contains(&wait) {
        let reason = "Must be >= 0 and <= 20, if provided.";
        return Err(SqsError::value(wait, "WaitTimeSeconds", reason));
    }
    asked.visibility_timeout.map_or(Ok(()), check_visibility)?;
    let messages = queues.receive(&asked.queue_url, count, asked.visibility_timeout, now)?;
    if messages.is_empty() {
        return Ok(json!({}));
    }
    let messages: Vec<Value> = messages
        .into_iter()
        .map(|message| shown(message, asked))
        .collect();
    Ok(json!({ "Messages": messages }))
}

/// A received message, with those attributes that were asked for.
fn shown(message: Message, asked: &ReceiveMessage) -> Value {
    let of_system = |name: &str| {
        let mut names = asked
            .attribute_names
            .iter()
            .chain(&asked.message_system_attribute_names);
        names.any(|wanted| wanted == "All" || wanted == name)
    };
    let of_sender = |name: &str| {
        asked
            .message_attribute_names
            .iter()
            .any(|wanted| match wanted.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == "All" || wanted == name,
            })
    };
    let mut system = message.attributes;
    system.retain(|name, _| of_system(name));
    let mut sender = message.message_attributes;
    sender.retain(|name, _| of_sender(name));
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message::md5_of_body(&message.body),
        "Body": message.body,
    });
    if !system.is_empty() {
        shown["Attributes"] = json!(system);
    }
    if let Some(digest) = message::md5_of_attributes(&sender) {
        shown["MD5OfMessageAttributes"] = json!(digest);
        let value =
            |it: MessageAttribute| json!({ "DataType": it.data_type, "StringValue": it.string_value });
        let sender = sender.into_iter().map(|(name, it)| (name, value(it)));
        shown["MessageAttributes"] = Value::Object(sender.collect());
    }
    shown
}
