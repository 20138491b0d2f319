//! Rows, and the items that they are kept as.

use super::class;
use crate::error::StoreError;
use crate::key::Key;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

impl Key {
    pub(super) fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    pub(super) fn of(item: &Item) -> Option<Self> {
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
    pub(super) fn attributes(self) -> [(String, AttributeValue); 2] {
        [
            ("waiting_shard".to_owned(), AttributeValue::S(self.shard)),
            (
                "waiting_since".to_owned(),
                AttributeValue::N(self.since.as_millisecond().to_string()),
            ),
        ]
    }
}

/// A place in the index of what is open in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Whose it is: the partition.
    pub account: String,
    /// The folder that it goes to and its id. No two things have the same.
    pub place: String,
}

impl Opened {
    pub(super) fn attributes(self) -> [(String, AttributeValue); 2] {
        [
            ("open_account".to_owned(), AttributeValue::S(self.account)),
            ("open_in".to_owned(), AttributeValue::S(self.place)),
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
    fn ttl(&self) -> Option<Timestamp> {
        None
    }
}

pub(super) fn to_item<R: Row>(row: &R) -> Result<Item, StoreError> {
    let mut item: Item =
        serde_dynamo::to_item(row).map_err(|e| StoreError::internal("building a request", e))?;
    item.extend(row.key().attributes());
    if let Some(at) = row.due_at() {
        item.extend(class::due_attributes(&row.key(), at));
    }
    if let Some(waiting) = row.waits() {
        item.extend(waiting.attributes());
    }
    if let Some(opened) = row.opened() {
        item.extend(opened.attributes());
    }
    if let Some(at) = row.ttl() {
        item.insert("ttl".to_owned(), AttributeValue::N(at.as_second().to_string()));
    }
    Ok(item)
}

/// What does not understand an item may quote it, so the error has the key only.
pub(super) fn from_item<R: Row>(item: Item) -> Result<R, StoreError> {
    let key = Key::of(&item);
    serde_dynamo::from_item(item)
        .map_err(|error| key.map_or_else(|| StoreError::corrupt(error), StoreError::unreadable))
}
