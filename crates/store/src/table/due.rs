//! The sparse index of what the sweep has to look at.
//!
//! It has partitions of its own for each class of items, so that many of one class do not hide those of another, and enough
//! of them: one takes about a thousand writes a second.

use super::client::Table;
use super::row::Item;
use super::write::{Change, text};
use crate::error::{StoreError, remote};
use crate::key::Key;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// How many keys are read at a time.
const PAGE: i32 = 100;

/// A place in a partition of the index.
#[derive(Debug, Clone)]
pub struct DueCursor(Item);

impl Table {
    /// Keys of items in one partition that are due at `now`, the longest due first, after the place `after`; and the place
    /// after which there are more. The index follows the table after a moment: what was just done may still be listed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        shard: &str,
        now: Timestamp,
        after: Option<DueCursor>,
    ) -> Result<(Vec<Key>, Option<DueCursor>), StoreError> {
        let answer = self
            .client()
            .await?
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
            .set_exclusive_start_key(after.map(|place| place.0))
            .limit(PAGE)
            .send()
            .await
            .map_err(remote("Query"))?;
        let keys = answer.items.unwrap_or_default();
        let keys = keys.iter().filter_map(Key::of).collect();
        Ok((keys, answer.last_evaluated_key.map(DueCursor)))
    }

    /// Makes the sweep not look at a failed replica any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_due(&self, key: &Key) -> Result<(), StoreError> {
        let change = Change::new(key.clone(), "REMOVE due_shard, due_at", "#state = :failed");
        self.update_if(change.with(":failed", text("failed"))).await?;
        Ok(())
    }

    /// Makes the sweep look at an item again only at `until`, if it still has to look at it at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone(&self, key: &Key, until: Timestamp) -> Result<(), StoreError> {
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(key.clone(), update, "attribute_exists(due_at)").due(until);
        self.update_if(change).await?;
        Ok(())
    }
}
