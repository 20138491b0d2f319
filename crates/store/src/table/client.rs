//! The table itself, and what it does with many items at once.

use super::format::FormatCheck;
use super::retry::RestWaits;
use super::row::Item;
use super::unreadable::Unreadable;
use super::write::text;
use crate::config;
use crate::environment::Environment;
use crate::error::{StoreError, remote};
use crate::key::Key;
use crate::recent::Recent;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use host::{Clock, Rng};
use jiff::{SignedDuration, Timestamp, TimestampArithmetic};
use std::sync::Arc;
use std::time::Duration;

/// The table.
#[derive(Clone)]
pub struct Table {
    client: Client,
    pub(super) name: String,
    format: FormatCheck,
    pub(super) unreadable: Unreadable,
    pub(crate) recent: Arc<Recent>,
    clock: Clock,
    /// Random numbers, for what is written into rows.
    pub rng: Rng,
}

impl Table {
    /// The table that `TABLE_NAME` names.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when the variable is missing, or `TARGET_REGISTRY_SECONDS` is not a number.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            recent: Recent::lasting(config::target_registry_lifetime(environment)?),
            format: environment.format().clone(),
            ..Self::named(environment, environment.variable("TABLE_NAME")?.to_owned())
        })
    }

    /// The table of this name. Nothing that is read of it is remembered.
    #[must_use]
    pub fn named(environment: &Environment, name: String) -> Self {
        Self {
            client: Client::new(environment.sdk()),
            name,
            format: FormatCheck::default(),
            unreadable: Unreadable::default(),
            recent: Recent::lasting(Duration::ZERO),
            clock: environment.clock,
            rng: environment.rng.clone(),
        }
    }

    /// The present moment. All that is written has it from here.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The moment so long after the present one.
    #[must_use]
    pub fn from_now(&self, wait: impl Into<TimestampArithmetic>) -> Timestamp {
        self.clock.from_now(wait)
    }

    /// How long it is until `time`. Zero when it has passed.
    #[must_use]
    pub fn until(&self, time: Timestamp) -> SignedDuration {
        self.clock.until(time)
    }

    /// The client, for a table that this release understands. All calls begin here, so that nothing is misread, and nothing
    /// written, in another.
    pub(super) async fn client(&self) -> Result<&Client, StoreError> {
        self.format.check(&self.client, &self.name).await?;
        Ok(&self.client)
    }

    /// Writes the format of this release into a table that has nothing in it.
    ///
    /// # Errors
    /// `ErrorKind::OtherFormat` when the table is in another one.
    pub async fn mark_if_new(&self) -> Result<(), StoreError> {
        self.format.mark_if_new(&self.client, &self.name).await
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
        let mut waits = RestWaits::new(&self.rng);
        while !requests.is_empty() {
            let batch: Vec<_> = requests.drain(..requests.len().min(25)).collect();
            let asked = batch.len();
            let answer = self
                .client()
                .await?
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
                waits.next("BatchWriteItem", progress).await?;
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
            .client()
            .await?
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
