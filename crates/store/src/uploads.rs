//! Uploads: their rows and their multipart uploads at the primary store.

use crate::accounts::{give_back, reserve};
use crate::blobs;
use crate::error::{Conflict, StoreError};
use crate::objects::Objects;
use crate::rows::{BlobRow, FileContent, HoldingRow, NodeRow, UploadRow, account_partition, new_id};
use crate::table::{Page, Table, Write};
use crate::tree;
use domain::content::ContentId;
use domain::id::{AccountId, UploadId};
use domain::upload::{AFTERMATH, Effect, Event, Refusal, State, step};
use jiff::{SignedDuration, Timestamp};

/// Activity moves the expiry of an open upload, but it is written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Why an upload could not be moved on.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// Its state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed, or somebody else changed the upload meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Table {
    /// Writes a new open upload and reserves its bytes, or neither.
    ///
    /// # Errors
    /// [`Conflict::QuotaExceeded`].
    pub async fn create_upload(&self, upload: &UploadRow) -> Result<(), StoreError> {
        self.transact(vec![
            reserve(&upload.account, upload.size)?,
            Write::create(upload, Conflict::UploadChanged)?,
        ])
        .await
    }

    /// Writes a new upload that is complete at once: the account has a file with these bytes.
    ///
    /// # Errors
    /// [`Conflict::QuotaExceeded`], [`Conflict::NameTaken`], [`Conflict::ParentGone`], [`Conflict::BlobGone`].
    pub async fn create_instant_upload(
        &self,
        upload: &UploadRow,
        node: &NodeRow,
        file: &FileContent,
    ) -> Result<(), StoreError> {
        let mut writes = vec![
            reserve(&upload.account, upload.size)?,
            Write::create(upload, Conflict::UploadChanged)?,
            blobs::refer(&file.blob)?,
        ];
        writes.extend(file_writes(node, file)?);
        self.transact(writes).await
    }

    /// An upload of the account.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn upload(&self, account: &AccountId, id: &UploadId) -> Result<Option<UploadRow>, StoreError> {
        self.get(&UploadRow::key_of(account, id)).await
    }

    /// Up to `limit` uploads of the account after the upload `after`, whatever their state.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn uploads(
        &self,
        account: &AccountId,
        after: Option<&UploadId>,
        limit: u32,
    ) -> Result<Page<UploadRow>, StoreError> {
        let after = after.map(|id| UploadRow::key_of(account, id).sk);
        let pk = account_partition(account);
        let page = self.page(&pk, UploadRow::PREFIX, after.as_deref(), limit).await?;
        let next = page
            .next
            .and_then(|sk| sk.strip_prefix(UploadRow::PREFIX).map(str::to_owned));
        Ok(Page {
            rows: page.rows,
            next,
        })
    }

    /// Forgets the multipart upload of an open upload: the store has none any more. The next part begins one.
    ///
    /// # Errors
    /// [`StoreError`]; that the upload was changed meanwhile is none.
    pub async fn forget_upload_multipart(&self, upload: &UploadRow) -> Result<(), StoreError> {
        let next = UploadRow {
            multipart_id: None,
            version: upload.version + 1,
            ..upload.clone()
        };
        match self.replace(&next, upload.version, Conflict::UploadChanged).await {
            Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The blob of one of the account's own files with this content, if new files may refer to it.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn own_blob(
        &self,
        account: &AccountId,
        content: &ContentId,
    ) -> Result<Option<BlobRow>, StoreError> {
        let pk = account_partition(account);
        let page: Page<HoldingRow> = self.page(&pk, &HoldingRow::prefix(content), None, 1).await?;
        let Some(holding) = page.rows.first() else {
            return Ok(None);
        };
        let blob = self.blob(&holding.blob).await?;
        Ok(blob.filter(|blob| blob.life().may_be_referenced()))
    }

    /// Moves an upload on as [`step`] says, together with `writes`. Gives the upload as it is now.
    ///
    /// # Errors
    /// [`TransitionError`].
    pub async fn move_upload(
        &self,
        upload: &UploadRow,
        event: Event,
        now: Timestamp,
        change: impl FnOnce(&mut UploadRow),
        mut writes: Vec<Write>,
    ) -> Result<UploadRow, TransitionError> {
        let (session, effects) = step(&upload.session(), event, now)?;
        let mut next = upload.clone();
        next.state = session.state;
        next.lease_until = session.lease_until;
        next.version += 1;
        if next.state.is_final() {
            next.ended_at = Some(now);
        }
        for effect in effects {
            match effect {
                Effect::ReturnReservation => writes.push(give_back(&upload.account, upload.size)?),
                Effect::DiscardParts => next.discard_since = Some(now),
            }
        }
        change(&mut next);
        if writes.is_empty() {
            self.replace(&next, upload.version, Conflict::UploadChanged)
                .await?;
        } else {
            // First, so that this is the conflict that is reported when somebody else was faster in all of it.
            writes.insert(0, Write::replace(&next, upload.version, Conflict::UploadChanged)?);
            self.transact(writes).await?;
        }
        Ok(next)
    }

    /// Discards what an ended upload left at the store: its multipart uploads, and its object unless that
    /// became a blob. The sweep does it when whoever ended the upload could not.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is lost by trying again.
    pub async fn discard(
        &self,
        objects: &Objects,
        upload: &UploadRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = upload.object_key();
        objects.abort_all_multiparts(&key).await?;
        if self.blob(&upload.blob).await?.is_none() {
            objects.delete(&key).await?;
            let pages = self.keys(&crate::rows::blob_partition(&upload.blob)).await?;
            self.delete_all(&pages).await?;
        }
        let mut next = upload.clone();
        // What was under way when it ended may have come to the store after this: once more, then it is over.
        let settled = upload
            .ended_at
            .map(|at| at.checked_add(AFTERMATH).unwrap_or(Timestamp::MAX));
        next.discard_since = settled.filter(|at| *at > now);
        next.version += 1;
        self.replace(&next, upload.version, Conflict::UploadChanged).await
    }

    /// The multipart upload of an open upload, begun if there is none, and the upload as it is now. Also moves
    /// the expiry on: this is what activity is.
    ///
    /// # Errors
    /// [`Conflict::UploadChanged`] when somebody else changed the upload meanwhile.
    pub async fn ensure_multipart(
        &self,
        objects: &Objects,
        upload: UploadRow,
        expiry: SignedDuration,
        now: Timestamp,
    ) -> Result<(UploadRow, String), StoreError> {
        let expires_at = now.checked_add(expiry).unwrap_or(Timestamp::MAX);
        let touch = expires_at.duration_since(upload.expires_at) > TOUCH_EVERY.min(expiry / 10);
        if let Some(id) = upload.multipart_id.clone().filter(|_| !touch) {
            return Ok((upload, id));
        }
        let id = match &upload.multipart_id {
            Some(id) => id.clone(),
            None => objects.begin_multipart(&upload.object_key()).await?,
        };
        let mut next = upload.clone();
        next.multipart_id = Some(id.clone());
        next.expires_at = next.expires_at.max(expires_at);
        next.version += 1;
        let written = self.replace(&next, upload.version, Conflict::UploadChanged).await;
        if matches!(written, Err(StoreError::Conflict(_))) && upload.multipart_id.is_none() {
            // A write whose answer got lost is sent again, and then refused because of itself.
            let row = self.upload(&upload.account, &upload.id).await?;
            match row.filter(|row| row.multipart_id.as_ref() == Some(&id)) {
                Some(row) => return Ok((row, id)),
                None => objects.abort_multipart(&upload.object_key(), &id).await?,
            }
        }
        written?;
        Ok((next, id))
    }

    /// Whether an upload can be worked on. One that is past its expiry cannot, even before the sweep came.
    #[must_use]
    pub fn is_open(upload: &UploadRow, now: Timestamp) -> bool {
        upload.state == State::Open && upload.expires_at > now
    }
}

/// The node that an upload becomes.
#[must_use]
pub fn node_of(upload: &UploadRow, file: &FileContent, now: Timestamp) -> NodeRow {
    NodeRow {
        id: new_id(),
        account: upload.account.clone(),
        name: upload.name.clone(),
        parent: upload.parent.clone(),
        file: Some(file.clone()),
        entries: 0,
        created_at: now,
        updated_at: now,
    }
}

/// The writes that put a file into the tree.
///
/// # Errors
/// [`StoreError::Corrupt`] when a write is malformed.
pub fn file_writes(node: &NodeRow, file: &FileContent) -> Result<Vec<Write>, StoreError> {
    let mut writes = tree::insert(node)?;
    let (account, content_id, blob) = (node.account.clone(), file.content_id, file.blob.clone());
    let holding = HoldingRow {
        account,
        content_id,
        node: node.id.clone(),
        blob,
    };
    writes.push(Write::create(&holding, Conflict::NameTaken)?);
    Ok(writes)
}
