//! Leases: what one invocation does, and no other at the same time. The holder of one says again and
//! again that it is alive; when it is not, the lease runs out.

use crate::error::StoreError;
use crate::rows::lease_key;
use crate::table::{Change, Table, text};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

fn milliseconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// Leases.
#[derive(Clone, Copy)]
pub struct Leases<'a>(pub(crate) &'a Table);

impl Table {
    /// Leases.
    #[must_use]
    pub fn leases(&self) -> Leases<'_> {
        Leases(self)
    }
}

impl Leases<'_> {
    /// Takes the lease of this name until `until`, if nobody else has it. Returns whether it is `holder`'s
    /// now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take(
        self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        // A write whose answer got lost is sent again: then it is ours already.
        let free = "attribute_not_exists(pk) OR #until < :now OR holder = :holder";
        let change = Change::new(lease_key(name), "SET holder = :holder, #until = :until", free)
            .with(":holder", text(holder))
            .with(":now", milliseconds(now))
            .with(":until", milliseconds(until));
        self.0.update_if(change).await
    }

    /// Keeps a lease until `until`. Returns whether it still is this holder's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep(self, name: &str, holder: &str, until: Timestamp) -> Result<bool, StoreError> {
        let change = Change::new(lease_key(name), "SET #until = :until", "holder = :holder")
            .with(":holder", text(holder))
            .with(":until", milliseconds(until));
        self.0.update_if(change).await
    }

    /// Gives a lease back, if it still is this holder's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn free(self, name: &str, holder: &str) -> Result<(), StoreError> {
        let gone = milliseconds(Timestamp::UNIX_EPOCH);
        let change = Change::new(
            lease_key(name),
            "SET #until = :until REMOVE holder",
            "holder = :holder",
        )
        .with(":holder", text(holder))
        .with(":until", gone);
        self.0.update_if(change).await?;
        Ok(())
    }
}
