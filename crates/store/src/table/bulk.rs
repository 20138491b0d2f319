//! Reads of many items that know nothing of their kinds, for what goes through the whole table.

use super::client::Table;
use super::retry::RestWaits;
use super::row::{Item, Row, from_item};
use super::write::text;
use crate::error::{StoreError, remote};
use crate::key::Key;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::BTreeSet;

/// Some items of the whole table, and where the next ones begin.
pub struct Scanned {
    /// The items.
    pub items: Vec<Item>,
    /// The key after which the next ones begin; `None` at the end.
    pub next: Option<Key>,
}

impl Table {
    /// Looks at up to `limit` items of the whole table after the key `after`, and returns those that `filter`
    /// lets through. Not consistently, at half the price: what is found must be read again before anything is
    /// done about it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scan(
        &self,
        filter: &str,
        values: Item,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Scanned, StoreError> {
        let answer = self
            .client()
            .await?
            .scan()
            .table_name(&self.name)
            .filter_expression(filter)
            .set_expression_attribute_values(Some(values))
            .set_exclusive_start_key(after.map(Key::attributes))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(remote("Scan"))?;
        Ok(Scanned {
            items: answer.items.unwrap_or_default(),
            next: answer.last_evaluated_key.as_ref().and_then(Key::of),
        })
    }

    /// All items of a partition, whatever they are, read consistently; of each only what `attributes` names.
    pub(crate) async fn partition(
        &self,
        pk: &str,
        attributes: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let answer = self
                .client()
                .await?
                .query()
                .table_name(&self.name)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pk))
                .set_projection_expression(attributes.map(str::to_owned))
                .set_exclusive_start_key(start)
                .consistent_read(true)
                .send()
                .await
                .map_err(remote("Query"))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Which of these items are there, whatever is in them, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn existing(&self, keys: impl IntoIterator<Item = Key>) -> Result<BTreeSet<Key>, StoreError> {
        let items = self.batch_get(keys, Some("pk, sk")).await?;
        Ok(items.iter().filter_map(Key::of).collect())
    }

    /// Which of these items are probably there, at half the price: what was just made or deleted may be told as it was before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn probably_existing(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<BTreeSet<Key>, StoreError> {
        let items = self.batch_get_as(keys, Some("pk, sk"), false).await?;
        Ok(items.iter().filter_map(Key::of).collect())
    }

    /// Those items that are there, each once, in no particular order, read consistently; of each only what `attributes`
    /// names.
    pub(crate) async fn batch_get(
        &self,
        keys: impl IntoIterator<Item = Key>,
        attributes: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        self.batch_get_as(keys, attributes, true).await
    }

    /// The same, consistently or at half the price.
    pub(crate) async fn batch_get_as(
        &self,
        keys: impl IntoIterator<Item = Key>,
        attributes: Option<&str>,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        // DynamoDB takes none twice, and a hundred at a time.
        let keys: BTreeSet<Key> = keys.into_iter().collect();
        let mut keys = keys.iter().map(Key::attributes);
        let (mut items, mut waits) = (Vec::new(), RestWaits::new(&self.rng));
        let mut wanted: Vec<Item> = Vec::new();
        loop {
            wanted.extend(keys.by_ref().take(100 - wanted.len()));
            if wanted.is_empty() {
                return Ok(items);
            }
            let asked = wanted.len();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(consistent)
                .set_projection_expression(attributes.map(str::to_owned))
                .build()
                .map_err(|e| StoreError::internal("building a request", e))?;
            let answer = self
                .client()
                .await?
                .batch_get_item()
                .request_items(&self.name, request)
                .send()
                .await
                .map_err(remote("BatchGetItem"))?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            let left = answer
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&self.name));
            wanted = left.map(|left| left.keys).unwrap_or_default();
            if !wanted.is_empty() {
                waits.next("BatchGetItem", wanted.len() < asked).await?;
            }
        }
    }
}

/// Reads a scanned item as a row of its kind.
///
/// # Errors
/// `ErrorKind::Corrupt` when it is none.
pub fn read<R: Row>(item: Item) -> Result<R, StoreError> {
    from_item(item)
}

/// Where a scanned item is.
#[must_use]
pub fn key_of(item: &Item) -> Option<Key> {
    Key::of(item)
}
