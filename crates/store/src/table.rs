//! The one table: consistent reads, conditional writes, transactions, and the sweep's sparse index.

pub mod bulk;
mod conditional;
mod open;
mod reading;
#[cfg(test)]
mod sample;
mod write;

pub use open::Opened;
pub use reading::{Page, Rows};
pub use write::{Change, Write, number, text};

use crate::config::{Aws, variable};
use crate::error::{StoreError, remote};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use conditional::wait_for_rest;
use jiff::Timestamp;
use reading::Unreadable;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// How many partitions the sparse index has, so that it scales with the table.
const DUE_SHARDS: u64 = 4;

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    fn of(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }

    /// The partition of the sparse index that the item belongs to.
    fn due_shard(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        (hasher.finish() % DUE_SHARDS).to_string()
    }
}

/// A place in the index of what waits at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The partition.
    pub shard: String,
    /// Since when it waits.
    pub since: Timestamp,
}

impl Waiting {
    fn attributes(self) -> [(String, AttributeValue); 2] {
        [
            ("waiting_shard".to_owned(), AttributeValue::S(self.shard)),
            (
                "waiting_since".to_owned(),
                AttributeValue::N(self.since.as_millisecond().to_string()),
            ),
        ]
    }
}

/// Something that is kept as an item of the table.
pub trait Row: Serialize + DeserializeOwned {
    /// Where it is.
    fn key(&self) -> Key;

    /// When the sweep has to look at it, if ever.
    fn due_at(&self) -> Option<Timestamp> {
        None
    }

    /// Where in the index of what waits at a target it is, if it is.
    fn waits(&self) -> Option<Waiting> {
        None
    }

    /// Where in the index of what is open in an account it is, if it is.
    fn opened(&self) -> Option<Opened> {
        None
    }

    /// When DynamoDB may delete it by itself.
    fn expires_by_itself_at(&self) -> Option<Timestamp> {
        None
    }
}

fn to_item<R: Row>(row: &R) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(row).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    item.extend(row.key().attributes());
    if let Some(at) = row.due_at() {
        item.extend(due_attributes(&row.key(), at));
    }
    if let Some(waiting) = row.waits() {
        item.extend(waiting.attributes());
    }
    if let Some(opened) = row.opened() {
        item.extend(opened.attributes());
    }
    if let Some(at) = row.expires_by_itself_at() {
        item.insert("ttl".to_owned(), AttributeValue::N(at.as_second().to_string()));
    }
    Ok(item)
}

/// What does not understand an item may quote it, so the error has the key only.
fn from_item<R: Row>(item: Item) -> Result<R, StoreError> {
    let key = Key::of(&item);
    serde_dynamo::from_item(item).map_err(|error| match key {
        Some(Key { pk, sk }) => StoreError::Unreadable { pk, sk },
        None => StoreError::Corrupt(error.to_string()),
    })
}

fn due_attributes(key: &Key, at: Timestamp) -> [(String, AttributeValue); 2] {
    [
        ("due_shard".to_owned(), AttributeValue::S(key.due_shard())),
        ("due_at".to_owned(), AttributeValue::N(at.as_second().to_string())),
    ]
}

/// The table.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
    unreadable: Unreadable,
}

impl Table {
    /// The table that `TABLE_NAME` names.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] when the variable is missing.
    pub fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self::named(aws, variable("TABLE_NAME")?))
    }

    /// The table of this name.
    #[must_use]
    pub fn named(aws: &Aws, name: String) -> Self {
        Self {
            client: Client::new(aws.sdk()),
            name,
            unreadable: Unreadable::default(),
        }
    }

    /// Deletes items whatever they are.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn delete_all(&self, keys: &[Key]) -> Result<(), StoreError> {
        let requests = keys.iter().map(|key| {
            let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build();
            let delete = delete.map_err(|e| StoreError::Corrupt(e.to_string()))?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        });
        self.write_batches(requests.collect::<Result<_, StoreError>>()?)
            .await
    }

    async fn write_batches(&self, mut requests: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut attempt = 0;
        while !requests.is_empty() {
            let batch: Vec<_> = requests.drain(..requests.len().min(25)).collect();
            let asked = batch.len();
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, batch)
                .send()
                .await
                .map_err(remote("BatchWriteItem"))?;
            let left = answer
                .unprocessed_items
                .and_then(|mut tables| tables.remove(&self.name));
            if let Some(left) = left.filter(|left| !left.is_empty()) {
                let progress = left.len() < asked;
                requests.extend(left);
                wait_for_rest("BatchWriteItem", &mut attempt, progress).await?;
            }
        }
        Ok(())
    }

    /// The keys of all items of a partition.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn keys(&self, pk: &str) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pk))
                .projection_expression("pk, sk")
                .set_exclusive_start_key(start)
                .consistent_read(true)
                .send()
                .await
                .map_err(remote("Query"))?;
            keys.extend(answer.items.unwrap_or_default().iter().filter_map(Key::of));
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Keys of items that are due at `now`, the longest due first, at most `limit` of each shard.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        for shard in 0..DUE_SHARDS {
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text(&shard))
                .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
                .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(remote("Query"))?;
            keys.extend(answer.items.unwrap_or_default().iter().filter_map(Key::of));
        }
        Ok(keys)
    }

    /// Keys of items in a partition of the index of what waits, with since when they wait: the longest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn waiting(&self, shard: &str, limit: u32) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("waiting")
            .key_condition_expression("waiting_shard = :shard")
            .expression_attribute_values(":shard", text(shard))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(remote("Query"))?;
        let since = |item: &Item| {
            let milliseconds = item.get("waiting_since")?.as_n().ok()?.parse().ok()?;
            Timestamp::from_millisecond(milliseconds).ok()
        };
        let items = answer.items.unwrap_or_default();
        let read = |item: &Item| Some((Key::of(item)?, since(item)?));
        Ok(items.iter().filter_map(read).collect())
    }

    /// Makes the sweep not look at a failed replica any more.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn forget_due(&self, key: &Key) -> Result<(), StoreError> {
        let change = Change::new(key.clone(), "REMOVE due_shard, due_at", "#state = :failed");
        self.change_if_it_holds(change.with(":failed", text("failed")))
            .await?;
        Ok(())
    }

    /// Makes the sweep look at an item again only at `until`, if it still has to look at it at all.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn postpone(&self, key: &Key, until: Timestamp) -> Result<(), StoreError> {
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(key.clone(), update, "attribute_exists(due_at)").due(until);
        self.change_if_it_holds(change).await?;
        Ok(())
    }
}
