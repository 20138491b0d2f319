//! The one table: consistent reads, conditional writes, transactions, and the sweep's sparse index.

pub mod bulk;
#[cfg(test)]
mod sample;
mod write;

pub use write::{Change, Write, number, text};

use crate::config::{Aws, variable};
use crate::error::{Conflict, StoreError, remote};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, WriteRequest};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use write::names_in;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// How many partitions the sparse index has, so that it scales with the table.
const DUE_SHARDS: u64 = 4;
/// How often a transaction is tried again that collided with another one.
const COLLISION_RETRIES: u32 = 8;

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

/// Something that is kept as an item of the table.
pub trait Row: Serialize + DeserializeOwned {
    /// Where it is.
    fn key(&self) -> Key;

    /// When the sweep has to look at it, if ever.
    fn due_at(&self) -> Option<Timestamp> {
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
    if let Some(at) = row.expires_by_itself_at() {
        item.insert("ttl".to_owned(), AttributeValue::N(at.as_second().to_string()));
    }
    Ok(item)
}

fn from_item<R: Row>(item: Item) -> Result<R, StoreError> {
    serde_dynamo::from_item(item).map_err(|e| StoreError::Corrupt(e.to_string()))
}

fn due_attributes(key: &Key, at: Timestamp) -> [(String, AttributeValue); 2] {
    [
        ("due_shard".to_owned(), AttributeValue::S(key.due_shard())),
        ("due_at".to_owned(), AttributeValue::N(at.as_second().to_string())),
    ]
}

/// Some rows, and where the next ones begin.
pub struct Page<R> {
    /// The rows, in the order of their sort keys.
    pub rows: Vec<R>,
    /// The sort key after which the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// The table.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
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
        }
    }

    /// Reads one row, consistently.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn get<R: Row>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(remote("GetItem"))?;
        answer.item.map(from_item).transpose()
    }

    /// Reads up to `limit` rows of one partition whose sort keys begin with `prefix`, consistently, after the
    /// sort key `after`.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn page<R: Row>(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<R>, StoreError> {
        let start = after.map(|sk| {
            Key {
                pk: pk.to_owned(),
                sk: sk.to_owned(),
            }
            .attributes()
        });
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":prefix", text(prefix))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(true)
            .send()
            .await
            .map_err(remote("Query"))?;
        let next = answer
            .last_evaluated_key
            .as_ref()
            .and_then(Key::of)
            .map(|key| key.sk);
        let rows = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(from_item)
            .collect::<Result<_, _>>()?;
        Ok(Page { rows, next })
    }

    /// Reads all rows of one partition whose sort keys begin with `prefix`.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn all<R: Row>(&self, pk: &str, prefix: &str) -> Result<Vec<R>, StoreError> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let page: Page<R> = self.page(pk, prefix, after.as_deref(), 1000).await?;
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
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
                requests.extend(left);
                attempt += 1;
                wait_after_collision(attempt).await;
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

    /// Reads rows by key, in no particular order; those that are not there are left out. At most 100.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn get_many<R: Row>(&self, keys: &[Key]) -> Result<Vec<R>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(Key::attributes).collect();
        let (mut rows, mut attempt) = (Vec::new(), 0);
        while !wanted.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build();
            let request = request.map_err(|e| StoreError::Corrupt(e.to_string()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, request)
                .send()
                .await
                .map_err(remote("BatchGetItem"))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                rows.push(from_item(item)?);
            }
            let left = answer
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&self.name));
            wanted = left.map(|left| left.keys).unwrap_or_default();
            if !wanted.is_empty() {
                attempt += 1;
                wait_after_collision(attempt).await;
            }
        }
        Ok(rows)
    }

    /// Writes a row over the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with `conflict` when the row's `version` is another.
    pub async fn replace<R: Row>(&self, row: &R, version: u64, conflict: Conflict) -> Result<(), StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(to_item(row)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version));
        alone("PutItem", conflict, || request.clone().send()).await
    }

    /// Changes one item.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with `conflict` when the condition does not hold.
    pub async fn change(&self, change: Change, conflict: Conflict) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(change.key.attributes()))
            .set_expression_attribute_names(names_in(&[&change.update, &change.condition]))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values));
        alone("UpdateItem", conflict, || request.clone().send()).await
    }

    /// Changes one item, or leaves it as it is when the condition does not hold: somebody was faster, and that is
    /// as good.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn change_if_it_holds(&self, change: Change) -> Result<(), StoreError> {
        match self.change(change, Conflict::NodeChanged).await {
            Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with the conflict of the first write whose condition does not hold.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let conflicts: Vec<Conflict> = writes.iter().map(|write| write.conflict).collect();
        let items: Vec<_> = writes
            .into_iter()
            .map(|write| write.into_table(&self.name))
            .collect();
        let mut attempt = 0;
        let mut token = uuid::Uuid::new_v4().to_string();
        loop {
            let request = self
                .client
                .transact_write_items()
                .client_request_token(&token)
                .set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else {
                return Ok(());
            };
            match cancellation(&error, &conflicts) {
                Cancellation::Condition(conflict) => return Err(conflict.into()),
                Cancellation::Collision if attempt < COLLISION_RETRIES => {
                    attempt += 1;
                    wait_after_collision(attempt).await;
                    token = uuid::Uuid::new_v4().to_string();
                }
                // An earlier try of ours, whose answer got lost: with its token we get its result.
                Cancellation::UnderWay if attempt < COLLISION_RETRIES => {
                    attempt += 1;
                    wait_after_collision(attempt).await;
                }
                Cancellation::Collision | Cancellation::UnderWay | Cancellation::Other => {
                    return Err(remote("TransactWriteItems")(error));
                }
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

    /// Makes the sweep look at an item again only at `until`, if it still has to look at it at all.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn postpone(&self, key: &Key, until: Timestamp) -> Result<(), StoreError> {
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(key.clone(), update, "attribute_exists(due_at)").due(until);
        self.change_if_it_holds(change).await
    }
}

/// A conditional write of one item. While a transaction is at the item it is refused (`TransactionConflictException`), which the
/// SDK does not take for passing.
async fn alone<E, R, T, F>(
    operation: &'static str,
    conflict: Conflict,
    send: impl Fn() -> F,
) -> Result<(), StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    let mut attempt = 0;
    loop {
        let Err(error) = send().await else {
            return Ok(());
        };
        match error.as_service_error().and_then(ProvideErrorMetadata::code) {
            Some("ConditionalCheckFailedException") => return Err(conflict.into()),
            Some("TransactionConflictException") if attempt < COLLISION_RETRIES => {
                attempt += 1;
                wait_after_collision(attempt).await;
            }
            _ => return Err(remote(operation)(error)),
        }
    }
}

async fn wait_after_collision(attempt: u32) {
    let ceiling = 20u64 << attempt.min(6);
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    tokio::time::sleep(Duration::from_millis(ceiling / 2 + random % ceiling)).await;
}

enum Cancellation {
    /// A condition does not hold.
    Condition(Conflict),
    /// Another write was at the same items at the same time.
    Collision,
    /// The very same transaction is being worked on.
    UnderWay,
    Other,
}

fn cancellation<R>(error: &SdkError<TransactWriteItemsError, R>, conflicts: &[Conflict]) -> Cancellation {
    let Some(service) = error.as_service_error() else {
        return Cancellation::Other;
    };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service else {
        let under_way = service.code() == Some("TransactionInProgressException");
        return if under_way {
            Cancellation::UnderWay
        } else {
            Cancellation::Other
        };
    };
    let mut collided = false;
    for (reason, conflict) in cancelled.cancellation_reasons().iter().zip(conflicts) {
        match reason.code() {
            Some("ConditionalCheckFailed") => return Cancellation::Condition(*conflict),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                collided = true;
            }
            _ => {}
        }
    }
    if collided {
        Cancellation::Collision
    } else {
        Cancellation::Other
    }
}
