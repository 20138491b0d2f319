//! The sparse index of what the sweep has to look at.
//!
//! It has partitions of its own for each class of items, so that many of one class do not hide those of another, and enough
//! of them: one takes about a thousand writes a second.

use super::{Change, Item, Key, Table, text};
use crate::error::{StoreError, remote};
use crate::rows::{AccountRow, BlobRow};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many keys are read at a time.
const PAGE: i32 = 100;

/// What the sweep does one after the other of the same sort, and beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Uploads and replicas: somebody may wait for them.
    Transfers,
    /// Blobs: nobody waits for them.
    Blobs,
    /// Accounts that are deleted, which may have any number of files.
    Accounts,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Transfers, Self::Blobs, Self::Accounts];

    /// The class of an item.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        match key.sk.as_str() {
            AccountRow::SORT_KEY => Self::Accounts,
            BlobRow::SK => Self::Blobs,
            _ => Self::Transfers,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Blobs => "blobs",
            Self::Accounts => "accounts",
        }
    }

    /// How many partitions it has, and what their names begin with.
    const fn partitions(self) -> (u64, &'static str) {
        match self {
            // Each upload writes here about four times, with a replica.
            Self::Transfers => (64, ""),
            Self::Blobs => (16, "b"),
            Self::Accounts => (1, "a"),
        }
    }

    /// The partitions that its items are in.
    pub fn shards(self) -> impl Iterator<Item = String> {
        let (count, prefix) = self.partitions();
        (0..count).map(move |number| format!("{prefix}{number}"))
    }
}

/// A place in a partition of the index.
#[derive(Debug, Clone)]
pub struct DuePlace(Item);

/// Gives the attributes that make the sweep look at an item.
pub(super) fn attributes(key: &Key, at: Timestamp) -> [(String, AttributeValue); 2] {
    [
        ("due_shard".to_owned(), AttributeValue::S(shard_of(key))),
        ("due_at".to_owned(), AttributeValue::N(at.as_second().to_string())),
    ]
}

/// The partition that an item belongs to.
fn shard_of(key: &Key) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let (count, prefix) = Class::of(key).partitions();
    format!("{prefix}{}", hasher.finish() % count)
}

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
        after: Option<DuePlace>,
    ) -> Result<(Vec<Key>, Option<DuePlace>), StoreError> {
        let answer = self
            .client
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
        Ok((keys, answer.last_evaluated_key.map(DuePlace)))
    }

    /// Makes the sweep not look at a failed replica any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_due(&self, key: &Key) -> Result<(), StoreError> {
        let change = Change::new(key.clone(), "REMOVE due_shard, due_at", "#state = :failed");
        self.change_if_it_holds(change.with(":failed", text("failed")))
            .await?;
        Ok(())
    }

    /// Makes the sweep look at an item again only at `until`, if it still has to look at it at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone(&self, key: &Key, until: Timestamp) -> Result<(), StoreError> {
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(key.clone(), update, "attribute_exists(due_at)").due(until);
        self.change_if_it_holds(change).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_item_is_in_a_partition_of_its_class_and_all_partitions_are_used() {
        for (class, sk) in [
            (Class::Transfers, "UPLOAD#u"),
            (Class::Transfers, "REPLICA#t"),
            (Class::Blobs, "BLOB"),
            (Class::Accounts, "ACCOUNT"),
        ] {
            let all: HashSet<String> = class.shards().collect();
            let used: HashSet<String> = (0..5000)
                .map(|number| {
                    let key = Key {
                        pk: format!("P#{number}"),
                        sk: sk.to_owned(),
                    };
                    assert_eq!(Class::of(&key), class);
                    shard_of(&key)
                })
                .collect();
            assert_eq!(used, all, "{sk}");
        }
        let all: HashSet<String> = Class::ALL.into_iter().flat_map(Class::shards).collect();
        assert_eq!(all.len(), 81, "no two classes share a partition");
    }
}
