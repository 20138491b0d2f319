//! The places that a target has for workers, if their number is limited.

use crate::error::{Conflict, StoreError};
use crate::rows::{SlotRow, target_partition};
use crate::table::{Change, Item, Rows, Table, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many places a worker tries to take that were free a moment ago.
const SLOT_ATTEMPTS: usize = 4;

/// The places that targets have for workers.
#[derive(Clone, Copy)]
pub struct Slots<'a>(pub(crate) &'a Table);

impl Table {
    /// The places that targets have for workers.
    #[must_use]
    pub fn slots(&self) -> Slots<'_> {
        Slots(self)
    }
}

impl Slots<'_> {
    /// Takes one of the `places` that a target has for workers, until `until`. `None`: all are taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take(
        self,
        target: &str,
        places: u16,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<u16>, StoreError> {
        // All are read at once: when all are taken, that is all it costs.
        let there: Rows<SlotRow> = self.0.all(&target_partition(target), SlotRow::PREFIX).await?;
        // Those that cannot be read may be free: the conditions of the writes decide as well.
        let taken: BTreeSet<u16> = there
            .rows
            .iter()
            .filter(|row| row.until >= now.as_millisecond() && row.holder.as_deref() != Some(holder))
            .map(|row| row.slot)
            .collect();
        let mut free: Vec<u16> = (0..places).filter(|slot| !taken.contains(slot)).collect();
        // Others choose at the same time.
        self.0.rng.shuffle(&mut free);
        for slot in free.into_iter().take(SLOT_ATTEMPTS) {
            let row = SlotRow {
                target: target.to_owned(),
                slot,
                holder: Some(holder.to_owned()),
                until: until.as_millisecond(),
            };
            let condition = "attribute_not_exists(pk) OR #until < :now OR holder = :holder";
            let values = Item::from([
                (
                    ":now".to_owned(),
                    AttributeValue::N(now.as_millisecond().to_string()),
                ),
                (":holder".to_owned(), text(holder)),
            ]);
            let taken = Write::put(&row, condition, values, Conflict::ReplicaChanged)?;
            match self.0.transact(vec![taken]).await {
                Ok(()) => return Ok(Some(slot)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Keeps a place until `until`. Returns whether it still is this holder's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep(
        self,
        target: &str,
        slot: u16,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        // DynamoDB must not take away what is kept.
        let change = Change::new(
            SlotRow::key_of(target, slot),
            "SET #until = :until, #ttl = :ttl",
            "holder = :holder",
        )
        .with(":until", AttributeValue::N(until.as_millisecond().to_string()))
        .with(":ttl", AttributeValue::N(until.as_second().to_string()))
        .with(":holder", text(holder));
        self.0.update_if(change).await
    }

    /// Gives a place back. Returns whether it was this holder's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn free(self, target: &str, slot: u16, holder: &str) -> Result<bool, StoreError> {
        let change = Change::new(
            SlotRow::key_of(target, slot),
            "SET #until = :gone REMOVE holder",
            "holder = :holder",
        )
        .with(":gone", number(0))
        .with(":holder", text(holder));
        self.0.update_if(change).await
    }
}
