//! Replicas that wait without a message, because their target is left alone.

use super::{Replicas, stalled, state};
use crate::error::StoreError;
use crate::rows::ReplicaRow;
use crate::table::{Change, Row};
use domain::id::BlobId;
use domain::replica::State;
use jiff::Timestamp;

/// Whether a replica waits for its bytes, or is being copied.
const UNDER_WAY: &str = "#state IN (:pending, :copying)";

fn under_way(change: Change) -> Change {
    change
        .with(":pending", state(State::Pending))
        .with(":copying", state(State::Copying))
}

impl Replicas<'_> {
    /// The target of a replica is left alone: it waits without a message, and the sweep does not look at it.
    /// Returns whether it waits for its bytes at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn park(self, blob: &BlobId, target: &str) -> Result<bool, StoreError> {
        let key = ReplicaRow::key_of(blob, target);
        let change = Change::new(key, "REMOVE due_shard, due_at", UNDER_WAY);
        self.0.update_if(under_way(change)).await
    }

    /// A replica that waited without a message has got one. Returns whether it still waited so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unpark(self, replica: &ReplicaRow, now: Timestamp) -> Result<bool, StoreError> {
        let waits = format!("attribute_not_exists(due_at) AND {UNDER_WAY}");
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(replica.key(), update, &waits).due(stalled(now));
        self.0.update_if(under_way(change)).await
    }
}
