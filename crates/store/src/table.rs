//! The one table: consistent reads, conditional writes, transactions, and the sweep's sparse index.

pub mod bulk;
mod conditional;
mod due;
mod open;
mod reading;
#[cfg(test)]
mod sample;
mod write;

pub use crate::key::Key;
pub use due::{Class, DuePlace};
pub use open::Opened;
pub use reading::{Page, Rows};
pub use write::{Change, Write, number, text};

use crate::config::{self, Aws, variable};
use crate::error::{StoreError, remote};
use crate::recent::Recent;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use conditional::wait_for_rest;
use jiff::Timestamp;
use reading::Unreadable;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

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
    let mut item: Item =
        serde_dynamo::to_item(row).map_err(|e| StoreError::internal("building a request", e))?;
    item.extend(row.key().attributes());
    if let Some(at) = row.due_at() {
        item.extend(due::attributes(&row.key(), at));
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
    serde_dynamo::from_item(item)
        .map_err(|error| key.map_or_else(|| StoreError::corrupt(error), StoreError::unreadable))
}

/// The table.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
    unreadable: Unreadable,
    pub(crate) recent: Arc<Recent>,
}

impl Table {
    /// The table that `TABLE_NAME` names.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when the variable is missing, or `ROSTER_SECONDS` is not a number.
    pub fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            recent: Recent::lasting(config::roster_lifetime()?),
            ..Self::named(aws, variable("TABLE_NAME")?)
        })
    }

    /// The table of this name. Nothing that is read of it is remembered.
    #[must_use]
    pub fn named(aws: &Aws, name: String) -> Self {
        Self {
            client: Client::new(aws.sdk()),
            name,
            unreadable: Unreadable::default(),
            recent: Recent::lasting(Duration::ZERO),
        }
    }

    /// Deletes items whatever they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_all(&self, keys: &[Key]) -> Result<(), StoreError> {
        let requests = keys.iter().map(|key| {
            let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build();
            let delete = delete.map_err(|e| StoreError::internal("building a request", e))?;
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
    /// [`StoreError`].
    pub async fn keys(&self, pk: &str) -> Result<Vec<Key>, StoreError> {
        let items = self.partition(pk, Some("pk, sk")).await?;
        Ok(items.iter().filter_map(Key::of).collect())
    }

    /// Keys of items in a partition of the index of what waits, with since when they wait: the longest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
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
}
