//! Blobs and their part digests.

use crate::error::{Conflict, ErrorKind, StoreError};
use crate::replicas;
use crate::rows::{
    BlobRow, ContentReferenceRow, ContentRow, PartDigestsRow, ReplicaRow, UploadRow, account_partition,
    blob_partition,
};
use crate::table::{Change, Key, Page, Row, Rows, Table, Write, bulk, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::blob::{BlobEvent, Effect, GRACE, Life, Refusal, step};
use domain::content::{ContentId, PartDigest};
use domain::id::{AccountId, BlobId};
use domain::targets::registry::Member;
use domain::time::saturating_add;
use jiff::Timestamp;
use std::collections::HashMap;

/// How many files with a content are looked at besides the first one: what one read takes.
const OTHER_REFERENCES: u32 = 99;

/// The write that [`step`] makes of [`BlobEvent::Refer`], without reading first: one more file refers to a
/// blob. This revives a condemned one; a blob that is being reclaimed, or is lost, is not.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflict: [`Conflict::BlobGone`].
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

/// The write that [`step`] makes of [`BlobEvent::Release`], without reading first: so many files less refer to a
/// blob. The sweep looks at it when a grace period is over, and reclaims it if nothing refers to it then.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed.
pub fn release(blob: &BlobId, files: u64, now: Timestamp) -> Result<Write, StoreError> {
    let change = Change::new(
        BlobRow::key_of(blob),
        "SET #references = #references - :files, due_shard = :due_shard, due_at = :due_at",
        "#references >= :files",
    );
    let change = change
        .with(":files", number(files))
        .due(saturating_add(now, GRACE));
    Write::update(&change, Conflict::NodeChanged)
}

/// The writes that bring a new blob into being with one reference: itself, its place in the index of
/// contents, a pending replica for each target.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflict: [`Conflict::ContentExists`].
pub fn create(blob: &BlobRow, targets: &[Member], now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let content = ContentRow {
        content_id: blob.content_id,
        scope: blob.scope.clone(),
        blob: blob.id.clone(),
    };
    let mut writes = vec![
        Write::create(&content, Conflict::ContentExists)?,
        Write::create(blob, Conflict::ContentExists)?,
    ];
    writes.extend(replicas::create(blob, targets, Conflict::ContentExists, now)?);
    Ok(writes)
}

/// Writes down the life of a blob, if it is unchanged since it was read.
fn rewrite(blob: &BlobRow, next: &Life, now: Timestamp) -> Result<Write, StoreError> {
    let mut update = "SET #references = :references, reclaiming = :reclaiming".to_owned();
    let mut remove = Vec::new();
    match (next.lost, blob.lost_since) {
        (true, None) => update += ", lost_since = :now",
        (false, Some(_)) => remove.push("lost_since"),
        _ => {}
    }
    match next.next_check_at {
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
    if let Some(at) = next.next_check_at {
        change = change.due(at);
    }
    Write::update(&change, Conflict::BlobChanged)
}

/// A blob that is being reclaimed, with everything that is written about it.
#[derive(Debug)]
pub struct BlobItems {
    /// The blob.
    pub blob: BlobRow,
    /// Its replicas.
    pub replicas: Vec<ReplicaRow>,
    /// Where all other items of its partition are.
    pub rest: Vec<Key>,
}

/// Blobs, with the index of their contents and their part digests.
#[derive(Clone, Copy)]
pub struct Blobs<'a>(pub(crate) &'a Table);

impl Table {
    /// Blobs, with the index of their contents and their part digests.
    #[must_use]
    pub fn blobs(&self) -> Blobs<'_> {
        Blobs(self)
    }
}

impl Blobs<'_> {
    /// A blob.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, blob: &BlobId) -> Result<Option<BlobRow>, StoreError> {
        self.0.get(&BlobRow::key_of(blob)).await
    }

    /// The blob that has this content, if there is one that new files in this scope may refer to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_content(
        self,
        content: &ContentId,
        scope: Option<&AccountId>,
    ) -> Result<Option<BlobRow>, StoreError> {
        let key = ContentRow::key_of(content, scope);
        let Some(row) = self.0.get::<ContentRow>(&key).await? else {
            return Ok(None);
        };
        let blob = self.get(&row.blob).await?;
        Ok(blob.filter(|blob| blob.life().may_be_referenced()))
    }

    /// Writes the digests of the parts of an upload down, as the part digests of the blob it becomes. Only for the
    /// holder of its lease: one who slept must not write over what another has made of the upload meanwhile.
    ///
    /// # Errors
    /// [`Conflict::UploadChanged`] when the lease was lost.
    pub async fn write_part_digests(
        self,
        upload: &UploadRow,
        digests: &[PartDigest],
    ) -> Result<(), StoreError> {
        let conflict = Conflict::UploadChanged;
        let mut writes = vec![Write::check(&upload.key(), upload.version, conflict)?];
        for page in PartDigestsRow::pages(&upload.blob, digests) {
            writes.push(Write::put_unconditional(&page, conflict)?);
        }
        self.0.transact(writes).await
    }

    /// The digests of all of a blob's parts, in order; empty when none were written down.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn part_digests(self, blob: &BlobId) -> Result<Vec<PartDigest>, StoreError> {
        let pages = self.0.all(&blob_partition(blob), PartDigestsRow::PREFIX).await?;
        let pages: Vec<PartDigestsRow> = pages.complete()?;
        Ok(pages.into_iter().flat_map(|page| page.digests).collect())
    }

    /// The digests of the parts of one page of the part digests.
    ///
    /// # Errors
    /// [`StoreError`] when the page is missing.
    pub async fn part_digests_page(self, blob: &BlobId, page: u32) -> Result<Vec<PartDigest>, StoreError> {
        let row: Option<PartDigestsRow> = self.0.get(&PartDigestsRow::key_of(blob, page)).await?;
        row.map(|row| row.digests)
            .ok_or_else(|| StoreError::corrupt(format!("blob {blob} has no page {page} in its part digests")))
    }

    /// Moves a blob that was read on as [`step`] says, if it is unchanged since it was read. Returns what is left to
    /// be done.
    ///
    /// # Errors
    /// [`Conflict::BlobChanged`] when it was changed meanwhile.
    pub async fn transition(
        self,
        blob: &BlobRow,
        event: BlobEvent,
        now: Timestamp,
    ) -> Result<Result<&'static [Effect], Refusal>, StoreError> {
        let (next, effects) = match step(&blob.life(), event, now) {
            Ok(moved) => moved,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let frees = effects.contains(&Effect::FreeContent);
        let writes = |free_content: bool| -> Result<Vec<Write>, StoreError> {
            let mut writes = Vec::new();
            if next != blob.life() {
                writes.push(rewrite(blob, &next, now)?);
            }
            if free_content {
                let key = ContentRow::key_of(&blob.content_id, blob.scope.as_ref());
                let mine = HashMap::from([(":blob".to_owned(), text(&blob.id))]);
                let unless_anothers = "attribute_not_exists(pk) OR #blob = :blob";
                writes.push(Write::delete(
                    &key,
                    unless_anothers,
                    mine,
                    Conflict::ContentExists,
                )?);
            }
            // `Effect::Delete` takes many writes; the caller that moved the blob does it.
            Ok(writes)
        };
        let first = writes(frees)?;
        if first.is_empty() {
            return Ok(Ok(effects));
        }
        match self.0.transact(first).await {
            // The index points to a blob from its birth on, or never again: where it points to another one it stays so.
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::ContentExists),
                ..
            }) if frees => {
                self.0.transact(writes(false)?).await?;
            }
            written => written?,
        }
        Ok(Ok(effects))
    }

    /// Notes that the object of a blob is gone: no new file refers to it then, and its content starts anew. One that is being
    /// reclaimed may be without its object.
    ///
    /// # Errors
    /// [`StoreError`]; that the blob was changed meanwhile is none: a caller that finds it gone again says so
    /// again.
    pub async fn lose(self, blob: &BlobRow, now: Timestamp) -> Result<(), StoreError> {
        match self.transition(blob, BlobEvent::Lose, now).await {
            Ok(Ok(_)) => tracing::error!(blob = %blob.id, "the object of a blob is gone"),
            Ok(Err(_))
            | Err(StoreError {
                kind: ErrorKind::Conflict(_),
                ..
            }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The blob of one of the account's own files with this content, if new files may refer to it. Of many files some are
    /// looked at; a blob that is not found costs an upload that could have been spared.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_account(
        self,
        account: &AccountId,
        content: &ContentId,
    ) -> Result<Option<BlobRow>, StoreError> {
        let (pk, prefix) = (account_partition(account), ContentReferenceRow::prefix(content));
        // Nearly always the first will do.
        let first: Page<ContentReferenceRow> = self.0.page(&pk, &prefix, None, 1).await?;
        if let Some(content_reference) = first.rows.first() {
            let blob = self
                .0
                .or_leave_out(self.get(&content_reference.blob).await)?
                .flatten();
            if let Some(blob) = blob.filter(|blob| blob.life().may_be_referenced()) {
                return Ok(Some(blob));
            }
        }
        // Others only if its blob is lost, and not all of them: they may be as many as there are files.
        let Some(after) = first.next else {
            return Ok(None);
        };
        let others: Page<ContentReferenceRow> =
            self.0.page(&pk, &prefix, Some(&after), OTHER_REFERENCES).await?;
        let blobs = others
            .rows
            .iter()
            .map(|content_reference| BlobRow::key_of(&content_reference.blob));
        let blobs: Rows<BlobRow> = self.0.get_many(blobs).await?;
        let mut good = blobs
            .rows
            .into_iter()
            .filter(|blob| blob.life().may_be_referenced());
        Ok(good.next())
    }

    /// Reads blobs by key. One that cannot be read is told with its key; those that are not there are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn at(self, keys: Vec<Key>) -> Result<Vec<Result<BlobRow, (Key, StoreError)>>, StoreError> {
        Ok(self.0.read_each(self.0.batch_get(keys, None).await?))
    }

    /// Reads what is written about a blob.
    ///
    /// # Errors
    /// [`StoreError`] when a replica cannot be read: it says what is at the target.
    pub async fn remains(self, blob: BlobRow) -> Result<BlobItems, StoreError> {
        let mut remains = BlobItems {
            replicas: Vec::new(),
            rest: Vec::new(),
            blob,
        };
        for item in self.0.partition(&blob_partition(&remains.blob.id), None).await? {
            let Some(key) = bulk::key_of(&item) else { continue };
            if key.sk.starts_with(ReplicaRow::PREFIX) {
                remains.replicas.push(bulk::read(item)?);
            } else if key.sk != BlobRow::SK {
                remains.rest.push(key);
            }
        }
        Ok(remains)
    }
}
