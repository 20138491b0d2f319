//! Multipart uploads at targets: which one is under way for a replica, and what of it is done.

use super::{Replicas, count, stalled, state};
use crate::error::{Conflict, StoreError};
use crate::rows::{ReplicaCountersRow, ReplicaRow, SegmentRow, blob_partition};
use crate::table::{Change, Row, Rows, Write, number, text};
use domain::id::BlobId;
use domain::replica::{ReplicaCounters, State};
use jiff::Timestamp;
use std::collections::HashMap;

/// What a segment changes in its replica.
const PROGRESS: &str =
    "SET bytes_done = bytes_done + :bytes, segments_done = segments_done + :one, updated_at = :now";
/// The same, and the sweep looks at it later.
const PROGRESS_AND_DUE: &str = "SET bytes_done = bytes_done + :bytes, segments_done = segments_done + :one, \
                                updated_at = :now, due_shard = :due_shard, due_at = :due_at";

impl Replicas<'_> {
    /// Whether a segment is recorded for the multipart upload that is under way for a replica.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_segment(self, replica: &ReplicaRow, segment: u32) -> Result<bool, StoreError> {
        let key = SegmentRow::key_of(&replica.blob, &replica.target, segment);
        let row: Option<SegmentRow> = self.0.get(&key).await?;
        Ok(row.is_some_and(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref()))
    }

    /// The segments recorded for the multipart upload that is under way for a replica, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn segments(self, replica: &ReplicaRow) -> Result<Vec<SegmentRow>, StoreError> {
        let prefix = SegmentRow::prefix(&replica.target);
        let rows = self.0.all(&blob_partition(&replica.blob), &prefix).await?;
        let mut rows: Vec<SegmentRow> = rows.complete()?;
        rows.retain(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref());
        Ok(rows)
    }

    /// Records the multipart upload at the target, unless somebody else recorded one.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`].
    pub async fn begin_copying(
        self,
        replica: &ReplicaRow,
        multipart_id: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET #state = :copying, multipart_id = :multipart_id, #key = :key, bytes_done = :none, \
             segments_done = :none, updated_at = :now, due_shard = :due_shard, due_at = :due_at",
            "attribute_not_exists(multipart_id) AND #state IN (:pending, :copying) AND since = :since",
        );
        let change = change
            .with(":copying", state(State::Copying))
            .with(":pending", state(State::Pending))
            .with(":multipart_id", text(multipart_id))
            .with(":key", text(key))
            .with(":none", number(0))
            .with(":since", text(&replica.since))
            .with(":now", text(&now))
            .due(stalled(now));
        self.0.update(change, Conflict::ReplicaChanged).await
    }

    /// Forgets a multipart upload at the target that is not there any more. Segments that were recorded for it
    /// do not count for another one, which writes over them.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`] when another one is recorded by now.
    pub async fn forget_multipart(self, replica: &ReplicaRow, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET bytes_done = :none, segments_done = :none, updated_at = :now ADD restarts :one REMOVE multipart_id",
            "multipart_id = :multipart_id AND #state <> :available",
        );
        let multipart_id = replica.multipart_id.as_deref().unwrap_or_default();
        let change = change
            .with(":none", number(0))
            .with(":now", text(&now))
            .with(":available", state(State::Available))
            .with(":one", number(1))
            .with(":multipart_id", text(multipart_id));
        self.0.update(change, Conflict::ReplicaChanged).await
    }

    /// Records a segment, once: repeating it, or recording one of a forgotten multipart upload, is a
    /// [`Conflict::ReplicaChanged`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_segment(
        self,
        replica: &ReplicaRow,
        segment: &SegmentRow,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if replica.state == State::Failed {
            // It stays so, and nobody sends messages for it; what others still do is kept for when it is tried again.
            let failed = Change::new(
                replica.key(),
                PROGRESS,
                "multipart_id = :multipart_id AND #state = :failed",
            );
            let failed = failed.with(":failed", state(State::Failed));
            return self.progress(failed, segment, bytes, now).await;
        }
        // One that waits without a message stays so, whatever was under way when its target was left alone:
        // what gives it a message again looks for those that are not due.
        let is_due = async |is_due: bool| {
            let (update, due) = if is_due {
                (PROGRESS_AND_DUE, "attribute_exists(due_at)")
            } else {
                (PROGRESS, "attribute_not_exists(due_at)")
            };
            let condition = format!("multipart_id = :multipart_id AND #state <> :available AND {due}");
            let mut change = Change::new(replica.key(), update, &condition);
            if is_due {
                change = change.due(stalled(now));
            }
            let change = change.with(":available", state(State::Available));
            self.progress(change, segment, bytes, now).await
        };
        let as_read = replica.due_at.is_some();
        match is_due(as_read).await {
            Err(error) if error.is_conflict() => is_due(!as_read).await,
            recorded => recorded,
        }
    }

    async fn progress(
        self,
        change: Change,
        segment: &SegmentRow,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mine = HashMap::from([(":multipart_id".to_owned(), text(&segment.multipart_id))]);
        let fresh = "attribute_not_exists(pk) OR multipart_id <> :multipart_id";
        let progress = change
            .with(":bytes", number(bytes))
            .with(":one", number(1))
            .with(":multipart_id", text(&segment.multipart_id))
            .with(":now", text(&now));
        let counters = ReplicaCountersRow::key_of(&segment.target, &segment.blob);
        self.0
            .transact(vec![
                Write::put(segment, fresh, mine, Conflict::ReplicaChanged)?,
                Write::update(&progress, Conflict::ReplicaChanged)?,
                count(&counters, ReplicaCounters::default().copied(bytes))?,
            ])
            .await
    }

    pub(super) async fn delete_segments(self, blob: &BlobId, target: &str) -> Result<(), StoreError> {
        // Whatever is in them.
        let Rows { rows, unreadable } = self
            .0
            .all::<SegmentRow>(&blob_partition(blob), &SegmentRow::prefix(target))
            .await?;
        let keys: Vec<_> = rows.iter().map(Row::key).chain(unreadable).collect();
        self.0.delete_all(&keys).await
    }
}
