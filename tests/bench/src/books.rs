//! What is written about the blobs in the table: kept once, while nothing is copied yet, and put back before each run.
//! So every run copies the same objects, and begins from the same state.

use crate::source::{Message, Source};
use crate::stack::{Stack, TARGET};
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// So many requests at once: the emulator answers one after the other anyway.
const AT_ONCE: usize = 8;

/// Files to copy, and what is kept of the target as a whole: how much is pending there, how it did lately.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) pending: Vec<Pending>,
    target: Vec<Value>,
}

impl Files {
    /// Only the first of them.
    pub(crate) fn first(&self, count: usize) -> Self {
        let mut some = self.clone();
        some.pending.truncate(count);
        some
    }
}

/// A file with what was written about it and the message to copy it, as they were before anything was copied.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) source: Source,
    items: Vec<Value>,
    message: Message,
}

/// Keeps what is written.
pub(crate) async fn keep(
    stack: &Stack,
    sources: Vec<Source>,
    mut messages: HashMap<String, Message>,
) -> Result<Files> {
    let mut pending = Vec::new();
    for source in sources {
        let items = items(stack, &partition(&source), "").await?;
        let message = messages.remove(&source.blob);
        let message = message.with_context(|| format!("no message for {}", source.blob))?;
        ensure!(
            state(&items) == Some("pending"),
            "{} is not pending at the start",
            source.blob
        );
        pending.push(Pending {
            source,
            items,
            message,
        });
    }
    let target = items(stack, &of_target(), "").await?;
    Ok(Files { pending, target })
}

/// Makes all replicas pending again, and sends their messages.
pub(crate) async fn put_back(stack: &Stack, files: &Files) -> Result<()> {
    let changes = stream::iter(&files.pending).map(|one| async move {
        let now = items(stack, &partition(&one.source), "").await?;
        anyhow::Ok(difference(&one.items, &now))
    });
    let changes: Vec<Vec<Value>> = changes.buffer_unordered(AT_ONCE).try_collect().await?;
    let mut changes = changes.concat();
    changes.extend(difference(&files.target, &items(stack, &of_target(), "").await?));
    // What one call of DynamoDB takes.
    for some in changes.chunks(25) {
        let request = json!({ "RequestItems": { &stack.table: some } });
        let answer = stack
            .aws
            .json("dynamodb", "DynamoDB_20120810.BatchWriteItem", &request)
            .await?;
        ensure!(
            answer["UnprocessedItems"].as_object().is_none_or(Map::is_empty),
            "the table did not take everything"
        );
    }
    send_messages(stack, &files.pending).await
}

async fn send_messages(stack: &Stack, all: &[Pending]) -> Result<()> {
    for mapping in &stack.mappings {
        let queue = &mapping.queue_url;
        let of_queue: Vec<_> = all.iter().filter(|one| one.message.queue_url == *queue).collect();
        // What one call of SQS takes.
        for some in of_queue.chunks(10) {
            let entries = some
                .iter()
                .enumerate()
                .map(|(id, one)| json!({ "Id": id.to_string(), "MessageBody": one.message.body }));
            let request = json!({ "QueueUrl": queue, "Entries": entries.collect::<Vec<_>>() });
            let answer = stack
                .aws
                .json("sqs", "AmazonSQS.SendMessageBatch", &request)
                .await?;
            ensure!(
                answer["Failed"].as_array().is_none_or(Vec::is_empty),
                "a message was not taken: {answer}"
            );
        }
    }
    Ok(())
}

/// How many of the files have a replica that is not available, and one of the reasons that are written down.
pub(crate) async fn missing(stack: &Stack, all: &[Pending]) -> Result<(usize, Option<String>)> {
    let (mut missing, mut why) = (0, None);
    // What one call of DynamoDB takes.
    for some in all.chunks(100) {
        let keys = some
            .iter()
            .map(|one| json!({ "pk": { "S": partition(&one.source) }, "sk": { "S": replica_key() } }));
        let keys = json!({ "Keys": keys.collect::<Vec<_>>(), "ConsistentRead": true });
        let request = json!({ "RequestItems": { &stack.table: keys } });
        let answer = stack
            .aws
            .json("dynamodb", "DynamoDB_20120810.BatchGetItem", &request)
            .await?;
        let items = answer["Responses"][&stack.table].as_array();
        let items = items.context("the table answered with no items")?;
        let available = items.iter().filter(|item| item["state"]["S"] == "available");
        missing += some.len() - available.count();
        let mut reasons = items.iter().filter_map(|item| item["last_error"]["S"].as_str());
        why = why.or(reasons.next().map(str::to_owned));
    }
    Ok((missing, why))
}

fn replica_key() -> String {
    format!("REPLICA#{TARGET}")
}

/// Where the replica at the target stands.
fn state(items: &[Value]) -> Option<&str> {
    let key = replica_key();
    let replica = items.iter().find(|item| item["sk"]["S"] == key.as_str());
    replica?["state"]["S"].as_str()
}

/// The writes that make `now` what was `before`.
fn difference(before: &[Value], now: &[Value]) -> Vec<Value> {
    let key = |item: &Value| json!({ "pk": item["pk"], "sk": item["sk"] });
    let gone = before
        .iter()
        .filter(|item| !now.contains(item))
        .map(|item| json!({ "PutRequest": { "Item": item } }));
    let new = now
        .iter()
        .filter(|item| before.iter().all(|old| old["sk"] != item["sk"]))
        .map(|item| json!({ "DeleteRequest": { "Key": key(item) } }));
    gone.chain(new).collect()
}

fn partition(source: &Source) -> String {
    format!("BLOB#{}", source.blob)
}

fn of_target() -> String {
    format!("TARGET#{TARGET}")
}

/// The items of a partition whose sort keys begin with `prefix`, as DynamoDB writes them.
pub(crate) async fn items(stack: &Stack, pk: &str, prefix: &str) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut query = json!({
        "TableName": stack.table,
        "ConsistentRead": true,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": pk } },
    });
    if !prefix.is_empty() {
        query["KeyConditionExpression"] = json!("pk = :pk AND begins_with(sk, :prefix)");
        query["ExpressionAttributeValues"][":prefix"] = json!({ "S": prefix });
    }
    loop {
        let mut answer = stack
            .aws
            .json("dynamodb", "DynamoDB_20120810.Query", &query)
            .await?;
        if let Some(items) = answer["Items"].as_array_mut() {
            found.append(items);
        }
        match answer["LastEvaluatedKey"].take() {
            Value::Null => return Ok(found),
            last => query["ExclusiveStartKey"] = last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_put_back_and_what_is_new_goes() {
        let item =
            |sk: &str, state: &str| json!({ "pk": { "S": "b" }, "sk": { "S": sk }, "state": { "S": state } });
        let before = [item("BLOB", "x"), item("REPLICA#ceph", "pending")];
        let now = [
            item("BLOB", "x"),
            item("REPLICA#ceph", "available"),
            item("SEGMENT#1", "y"),
        ];
        assert_eq!(
            difference(&before, &now),
            [
                json!({ "PutRequest": { "Item": before[1] } }),
                json!({ "DeleteRequest": { "Key": { "pk": { "S": "b" }, "sk": { "S": "SEGMENT#1" } } } }),
            ]
        );
        assert_eq!(difference(&before, &before), [Value::Null; 0]);
        assert_eq!(state(&now), Some("available"));
    }
}
