//! Blobs, their ledgers and their replicas.

use crate::config::TargetName;
use crate::error::{Conflict, StoreError};
use crate::rows::{BlobRow, ContentRow, LedgerRow, ReplicaRow, SegmentRow, UploadRow, blob_partition};
use crate::table::{Change, Row, Table, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::blob::{Effect, Event, GRACE, Life, Refusal, step};
use domain::content::{ContentId, PartDigest};
use domain::id::{AccountId, BlobId};
use domain::replica::{STALLED_AFTER, State};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How much of the reason of a failure is kept, in characters.
const MAX_REASON: usize = 500;

/// The write that [`step`] makes of [`Event::Refer`], without reading first: one more file refers to a blob. This revives a
/// condemned one; a blob that is being reclaimed, or is lost, is not.
///
/// # Errors
/// [`StoreError::Corrupt`] when the write is malformed. Conflict: [`Conflict::BlobGone`].
pub fn refer(blob: &BlobId) -> Result<Write, StoreError> {
    let change = Change::new(
        BlobRow::key_of(blob),
        "SET #references = #references + :one",
        "attribute_exists(pk) AND reclaiming = :no AND attribute_not_exists(lost_since)",
    );
    let change = change
        .with(":one", number(1))
        .with(":no", AttributeValue::Bool(false));
    Write::update(&change, Conflict::BlobGone)
}

/// The write that [`step`] makes of [`Event::Release`], without reading first: one file less refers to a blob. The sweep looks at it when a grace period is over, and reclaims it if
/// nothing refers to it then.
///
/// # Errors
/// [`StoreError::Corrupt`] when the write is malformed.
pub fn release(blob: &BlobId, now: Timestamp) -> Result<Write, StoreError> {
    let change = Change::new(
        BlobRow::key_of(blob),
        "SET #references = #references - :one, due_shard = :due_shard, due_at = :due_at",
        "#references >= :one",
    );
    let change = change.with(":one", number(1)).due(later(now, GRACE));
    Write::update(&change, Conflict::NodeChanged)
}

/// The writes that bring a new blob into being with one reference: itself, its place in the index of
/// contents, a pending replica for each target.
///
/// # Errors
/// [`StoreError::Corrupt`] when a write is malformed. Conflict: [`Conflict::ContentExists`].
pub fn create(blob: &BlobRow, targets: &[TargetName], now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let content = ContentRow {
        content_id: blob.content_id,
        scope: blob.scope.clone(),
        blob: blob.id.clone(),
    };
    let mut writes = vec![
        Write::create(&content, Conflict::ContentExists)?,
        Write::create(blob, Conflict::ContentExists)?,
    ];
    for target in targets {
        writes.push(Write::create(
            &ReplicaRow::pending(&blob.id, target, now),
            Conflict::ContentExists,
        )?);
    }
    Ok(writes)
}

/// Writes down the life of a blob, if it still is what was read.
fn rewrite(blob: &BlobRow, next: &Life, now: Timestamp) -> Result<Write, StoreError> {
    let mut update = "SET #references = :references, reclaiming = :reclaiming".to_owned();
    let mut remove = Vec::new();
    match (next.lost, blob.lost_since) {
        (true, None) => update += ", lost_since = :now",
        (false, Some(_)) => remove.push("lost_since"),
        _ => {}
    }
    match next.examine_at {
        Some(_) => update += ", due_shard = :due_shard, due_at = :due_at",
        None => remove.extend(["due_shard", "due_at"]),
    }
    if !remove.is_empty() {
        update = format!("{update} REMOVE {}", remove.join(", "));
    }
    let due = match blob.due_at {
        Some(_) => "due_at = :was_due",
        None => "attribute_not_exists(due_at)",
    };
    let lost = match blob.lost_since {
        Some(_) => "attribute_exists(lost_since)",
        None => "attribute_not_exists(lost_since)",
    };
    let condition =
        format!("#references = :were_references AND reclaiming = :was_reclaiming AND {due} AND {lost}");
    let mut change = Change::new(blob.key(), &update, &condition)
        .with(":references", number(next.references))
        .with(":reclaiming", AttributeValue::Bool(next.reclaiming))
        .with(":were_references", number(blob.references))
        .with(":was_reclaiming", AttributeValue::Bool(blob.reclaiming));
    if let Some(due_at) = blob.due_at {
        change = change.with(":was_due", AttributeValue::N(due_at.to_string()));
    }
    if next.lost && blob.lost_since.is_none() {
        change = change.with(":now", text(&now));
    }
    if let Some(at) = next.examine_at {
        change = change.due(at);
    }
    Write::update(&change, Conflict::BlobChanged)
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

impl Table {
    /// A blob.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn blob(&self, blob: &BlobId) -> Result<Option<BlobRow>, StoreError> {
        self.get(&BlobRow::key_of(blob)).await
    }

    /// The blob that has this content, if there is one that new files in this scope may refer to.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn blob_with(
        &self,
        content: &ContentId,
        scope: Option<&AccountId>,
    ) -> Result<Option<BlobRow>, StoreError> {
        let key = ContentRow::key_of(content, scope);
        let Some(row) = self.get::<ContentRow>(&key).await? else {
            return Ok(None);
        };
        let blob = self.blob(&row.blob).await?;
        Ok(blob.filter(|blob| blob.life().may_be_referenced()))
    }

    /// Writes the digests of the parts of an upload down, as the ledger of the blob it becomes. Only for the
    /// holder of its lease: one who slept must not write over what another has made of the upload meanwhile.
    ///
    /// # Errors
    /// [`Conflict::UploadChanged`] when the lease was lost.
    pub async fn write_ledger(&self, upload: &UploadRow, digests: &[PartDigest]) -> Result<(), StoreError> {
        let conflict = Conflict::UploadChanged;
        let mut writes = vec![Write::check(&upload.key(), upload.version, conflict)?];
        for page in LedgerRow::pages(&upload.blob, digests) {
            writes.push(Write::put_always(&page, conflict)?);
        }
        self.transact(writes).await
    }

    /// The digests of all of a blob's parts, in order; empty when none were written down.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn ledger(&self, blob: &BlobId) -> Result<Vec<PartDigest>, StoreError> {
        let pages: Vec<LedgerRow> = self.all(&blob_partition(blob), LedgerRow::PREFIX).await?;
        Ok(pages.into_iter().flat_map(|page| page.digests).collect())
    }

    /// The digests of the parts of one page of the ledger.
    ///
    /// # Errors
    /// [`StoreError::Remote`], or [`StoreError::Corrupt`] when the page is missing.
    pub async fn ledger_page(&self, blob: &BlobId, page: u32) -> Result<Vec<PartDigest>, StoreError> {
        let row: Option<LedgerRow> = self.get(&LedgerRow::key_of(blob, page)).await?;
        row.map(|row| row.digests)
            .ok_or_else(|| StoreError::Corrupt(format!("blob {blob} has no page {page} in its ledger")))
    }

    /// All replicas of a blob.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn replicas(&self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.all(&blob_partition(blob), ReplicaRow::PREFIX).await
    }

    /// One replica of a blob.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn replica(&self, blob: &BlobId, target: &str) -> Result<Option<ReplicaRow>, StoreError> {
        self.get(&ReplicaRow::key_of(blob, target)).await
    }

    /// Whether a segment is recorded for the multipart upload that is under way for a replica.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn has_segment(&self, replica: &ReplicaRow, segment: u32) -> Result<bool, StoreError> {
        let key = SegmentRow::key_of(&replica.blob, &replica.target, segment);
        let row: Option<SegmentRow> = self.get(&key).await?;
        Ok(row.is_some_and(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref()))
    }

    /// The segments recorded for the multipart upload that is under way for a replica, in order.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn segments(&self, replica: &ReplicaRow) -> Result<Vec<SegmentRow>, StoreError> {
        let prefix = SegmentRow::prefix(&replica.target);
        let mut rows: Vec<SegmentRow> = self.all(&blob_partition(&replica.blob), &prefix).await?;
        rows.retain(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref());
        Ok(rows)
    }

    /// Records the multipart upload at the target, unless somebody else recorded one.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`].
    pub async fn begin_copying(
        &self,
        replica: &ReplicaRow,
        multipart_id: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET #state = :copying, multipart_id = :multipart_id, #key = :key, bytes_done = :none, \
             segments_done = :none, updated_at = :now, due_shard = :due_shard, due_at = :due_at",
            "attribute_exists(pk) AND attribute_not_exists(multipart_id) AND #state <> :available",
        );
        let change = change
            .with(":copying", state(State::Copying))
            .with(":available", state(State::Available))
            .with(":multipart_id", text(multipart_id))
            .with(":key", text(key))
            .with(":none", number(0))
            .with(":now", text(&now))
            .due(later(now, STALLED_AFTER));
        self.change(change, Conflict::ReplicaChanged).await
    }

    /// Forgets a multipart upload at the target that is not there any more. Segments that were recorded for it
    /// do not count for another one, which writes over them.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`] when another one is recorded by now.
    pub async fn forget_multipart(&self, replica: &ReplicaRow, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET bytes_done = :none, segments_done = :none, updated_at = :now REMOVE multipart_id",
            "multipart_id = :multipart_id AND #state <> :available",
        );
        let change = change
            .with(":none", number(0))
            .with(":now", text(&now))
            .with(":available", state(State::Available))
            .with(
                ":multipart_id",
                text(replica.multipart_id.as_deref().unwrap_or_default()),
            );
        self.change(change, Conflict::ReplicaChanged).await
    }

    /// Records a segment, once: repeating it, or recording one of a forgotten multipart upload, is a
    /// [`Conflict::ReplicaChanged`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_segment(
        &self,
        segment: &SegmentRow,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mine = HashMap::from([(":multipart_id".to_owned(), text(&segment.multipart_id))]);
        let fresh = "attribute_not_exists(pk) OR multipart_id <> :multipart_id";
        let progress = Change::new(
            ReplicaRow::key_of(&segment.blob, &segment.target),
            "SET #state = :copying, bytes_done = bytes_done + :bytes, segments_done = segments_done + :one, \
             updated_at = :now, due_shard = :due_shard, due_at = :due_at",
            "multipart_id = :multipart_id AND #state <> :available",
        );
        let progress = progress
            .with(":copying", state(State::Copying))
            .with(":available", state(State::Available))
            .with(":bytes", number(bytes))
            .with(":one", number(1))
            .with(":multipart_id", text(&segment.multipart_id))
            .with(":now", text(&now))
            .due(later(now, STALLED_AFTER));
        self.transact(vec![
            Write::put(segment, fresh, mine, Conflict::ReplicaChanged)?,
            Write::update(&progress, Conflict::ReplicaChanged)?,
        ])
        .await
    }

    /// The replica is complete and verified. Forgets what was only needed on the way.
    ///
    /// # Errors
    /// [`StoreError`]; that it was available already is none.
    pub async fn mark_available(
        &self,
        replica: &ReplicaRow,
        key: &str,
        size: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET #state = :available, #key = :key, bytes_done = :size, updated_at = :now \
             REMOVE multipart_id, last_error, due_shard, due_at",
            "attribute_exists(pk) AND #state <> :available",
        );
        let change = change
            .with(":available", state(State::Available))
            .with(":key", text(key))
            .with(":size", number(size))
            .with(":now", text(&now));
        self.change_if_it_holds(change).await?;
        self.delete_segments(&replica.blob, &replica.target).await
    }

    /// An attempt failed. `given_up`: the message goes to the dead-letter queue now.
    ///
    /// # Errors
    /// [`StoreError`]; that it became available meanwhile is none.
    pub async fn record_failure(
        &self,
        blob: &BlobId,
        target: &str,
        reason: &str,
        given_up: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reason: String = reason.chars().take(MAX_REASON).collect();
        let update = if given_up {
            "SET #state = :failed, attempts = attempts + :one, last_error = :reason, updated_at = :now \
             REMOVE due_shard, due_at"
        } else {
            "SET attempts = attempts + :one, last_error = :reason, updated_at = :now, \
             due_shard = :due_shard, due_at = :due_at"
        };
        let key = ReplicaRow::key_of(blob, target);
        let mut change = Change::new(key, update, "attribute_exists(pk) AND #state <> :available")
            .with(":available", state(State::Available))
            .with(":one", number(1))
            .with(":reason", text(&reason))
            .with(":now", text(&now));
        change = if given_up {
            change.with(":failed", state(State::Failed))
        } else {
            change.due(later(now, STALLED_AFTER))
        };
        self.change_if_it_holds(change).await
    }

    async fn delete_segments(&self, blob: &BlobId, target: &str) -> Result<(), StoreError> {
        let rows: Vec<SegmentRow> = self
            .all(&blob_partition(blob), &SegmentRow::prefix(target))
            .await?;
        self.delete_all(&rows.iter().map(Row::key).collect::<Vec<_>>())
            .await
    }

    /// Moves a blob that was read on as [`step`] says, if it still is what was read. Gives what is left to be done.
    ///
    /// # Errors
    /// [`Conflict::BlobChanged`] when it was changed meanwhile.
    pub async fn move_blob(
        &self,
        blob: &BlobRow,
        event: Event,
        now: Timestamp,
    ) -> Result<Result<&'static [Effect], Refusal>, StoreError> {
        let (next, effects) = match step(&blob.life(), event, now) {
            Ok(moved) => moved,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut writes = Vec::new();
        if next != blob.life() {
            writes.push(rewrite(blob, &next, now)?);
        }
        for effect in effects {
            match effect {
                Effect::FreeContent => {
                    let key = ContentRow::key_of(&blob.content_id, blob.scope.as_ref());
                    // The index points to a blob from its birth on, or never again: what is read here cannot come back.
                    let row: Option<ContentRow> = self.get(&key).await?;
                    if row.is_some_and(|row| row.blob == blob.id) {
                        let mine = HashMap::from([(":blob".to_owned(), text(&blob.id))]);
                        writes.push(Write::delete(&key, "#blob = :blob", mine, Conflict::BlobChanged)?);
                    }
                }
                // Takes many writes; whoever moved the blob does it.
                Effect::Delete => {}
            }
        }
        if !writes.is_empty() {
            self.transact(writes).await?;
        }
        Ok(Ok(effects))
    }

    /// Notes that the object of a blob is gone: no new file refers to it then, and its content starts anew. One that is being
    /// reclaimed may be without its object.
    ///
    /// # Errors
    /// [`StoreError`]; that the blob was changed meanwhile is none: whoever finds it gone again says so again.
    pub async fn lose_blob(&self, blob: &BlobRow, now: Timestamp) -> Result<(), StoreError> {
        match self.move_blob(blob, Event::Lose, now).await {
            Ok(Ok(_)) => tracing::error!(blob = %blob.id, "the object of a blob is gone"),
            Ok(Err(_)) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Deletes everything that is written about a blob, the blob itself last: until then the sweep comes back.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn delete_blob(&self, blob: &BlobRow) -> Result<(), StoreError> {
        let mut keys = self.keys(&blob_partition(&blob.id)).await?;
        keys.retain(|key| *key != blob.key());
        self.delete_all(&keys).await?;
        self.delete_all(&[blob.key()]).await
    }
}

fn state(state: State) -> AttributeValue {
    let name = match state {
        State::Pending => "pending",
        State::Copying => "copying",
        State::Available => "available",
        State::Failed => "failed",
    };
    text(name)
}
