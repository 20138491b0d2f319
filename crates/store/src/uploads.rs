//! Uploads: their rows and their multipart uploads at the primary store.

use crate::accounts::quota;
use crate::error::{Conflict, ErrorKind, StoreError};
use crate::objects::Objects;
use crate::rows::{NodeRow, OpenUploadKey, UploadOwnerRow, UploadRow};
use crate::table::{Change, Key, Page, Row, Rows, Table, Write, number};
use domain::account::QuotaEvent;
use domain::id::{AccountId, NodeId, UploadId};
use domain::time::saturating_add;
use domain::upload::{self, Effect, FIRST_CHECK, Refusal, UploadEvent, discard_again, next_check, step};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Activity moves the expiry of an open upload, but it is written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Up to how many open uploads into a folder are counted.
pub const MOST_COUNTED: u32 = 1000;
/// How many open uploads are read at a time where their bytes are summed up, and how often at most.
const SUMMED: u32 = 1000;
const PAGES_SUMMED: usize = 5;

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

impl TransitionError {
    /// The condition that did not hold, if that is why.
    #[must_use]
    pub fn conflict(&self) -> Option<Conflict> {
        match self {
            Self::Store(error) => error.conflict(),
            Self::Refused(_) => None,
        }
    }

    /// The same as an error of the store, for those whose events cannot be refused: if one is, that is a fault of ours.
    #[must_use]
    pub fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Refused(refusal) => StoreError::internal("changing an upload", refusal),
        }
    }
}

/// Uploads.
#[derive(Clone, Copy)]
pub struct Uploads<'a>(pub(crate) &'a Table);

impl Table {
    /// Uploads.
    #[must_use]
    pub fn uploads(&self) -> Uploads<'_> {
        Uploads(self)
    }
}

impl Uploads<'_> {
    /// Writes a new upload and reserves its bytes, with `others`, or nothing.
    ///
    /// # Errors
    /// [`Conflict::QuotaExceeded`], or a conflict of `others`.
    pub async fn create(self, upload: &UploadRow, others: Vec<Write>) -> Result<(), StoreError> {
        let (take, give) = (upload.size, 0);
        let mut writes = vec![quota(&upload.account, QuotaEvent::Take { take, give })?];
        writes.extend(others);
        self.insert(upload, writes).await
    }

    /// Writes a new upload with `writes`, or nothing.
    ///
    /// # Errors
    /// A conflict of `writes`.
    pub async fn insert(self, upload: &UploadRow, mut writes: Vec<Write>) -> Result<(), StoreError> {
        let mut upload = upload.clone();
        upload.note_due(Some(saturating_add(upload.created_at, FIRST_CHECK)));
        // First, so that this is the conflict that is reported when the write was done already.
        writes.insert(0, Write::create(&upload, Conflict::UploadChanged)?);
        match self.0.transact(writes).await {
            // The id is new: an upload that has it is ours, and the answer that said so got lost.
            Err(error) if error.conflict() == Some(Conflict::UploadChanged) => Ok(()),
            written => written,
        }
    }

    /// An upload of the account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, account: &AccountId, id: &UploadId) -> Result<Option<UploadRow>, StoreError> {
        self.0.get(&UploadRow::key_of(account, id)).await
    }

    /// Up to `limit` uploads of the account that have not ended, after this place. Constant cost, whatever ended before; one
    /// that was begun in the last moment may be missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        self,
        account: &AccountId,
        after: Option<&OpenUploadKey>,
        limit: u32,
    ) -> Result<Page<UploadRow>, StoreError> {
        let after = after.map(OpenUploadKey::in_index);
        let (places, more) = self.0.opened(account.as_str(), after.as_deref(), limit).await?;
        let last = places.last().filter(|_| more);
        let next = last.and_then(|(place, _)| OpenUploadKey::from_index(place));
        let keys: Vec<Key> = places.into_iter().map(|(_, key)| key).collect();
        let Rows { rows, unreadable } = self.0.get_many::<UploadRow>(keys.iter().cloned()).await?;
        // The index may be behind: what the rows say counts.
        let live = rows.into_iter().filter(|row| !row.state.is_final());
        let mut by_key: BTreeMap<Key, UploadRow> = live.map(|row| (row.key(), row)).collect();
        Ok(Page {
            rows: keys.iter().filter_map(|key| by_key.remove(key)).collect(),
            unreadable,
            next: next.map(|next| next.to_string()),
        })
    }

    /// How many uploads into a folder have not ended, counted up to [`MOST_COUNTED`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_into(self, account: &AccountId, folder: &NodeId) -> Result<u32, StoreError> {
        let prefix = OpenUploadKey::prefix(Some(folder));
        self.0.count_opened(account.as_str(), &prefix, MOST_COUNTED).await
    }

    /// How many bytes the account's uploads have that have not ended, of 5,000 at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_bytes(self, account: &AccountId) -> Result<u64, StoreError> {
        let (mut bytes, mut after) = (0, None);
        for _ in 0..PAGES_SUMMED {
            let page = self.page(account, after.as_ref(), SUMMED).await?;
            bytes += page.rows.iter().map(|upload| upload.size).sum::<u64>();
            after = page.next.and_then(|next| next.parse().ok());
            if after.is_none() {
                break;
            }
        }
        Ok(bytes)
    }

    /// Forgets the multipart upload of an open upload: the store has none any more. The next part begins one.
    ///
    /// # Errors
    /// [`StoreError`]; that the upload was changed meanwhile is none.
    pub async fn forget_multipart(self, upload: &UploadRow, now: Timestamp) -> Result<(), StoreError> {
        let forget = |next: &mut UploadRow| next.multipart_id = None;
        match self
            .transition(upload, UploadEvent::LoseParts, now, forget, vec![])
            .await
        {
            Ok(_)
            | Err(
                TransitionError::Refused(_)
                | TransitionError::Store(StoreError {
                    kind: ErrorKind::Conflict(_),
                    ..
                }),
            ) => Ok(()),
            Err(TransitionError::Store(error)) => Err(error),
        }
    }

    /// The file that a complete upload became, as long as it still has these bytes: it may have been deleted, or replaced.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn file_of(self, upload: &UploadRow) -> Result<Option<NodeRow>, StoreError> {
        let Some(node) = &upload.node else {
            return Ok(None);
        };
        let node = self.0.tree().get(&upload.account, node).await?;
        let content = |node: &NodeRow| node.file.as_ref().map(|file| file.content_id);
        Ok(node.filter(|node| content(node) == upload.content_id))
    }

    /// Moves an upload on as [`step`] says, together with `writes`. Returns the upload as it is now.
    ///
    /// # Errors
    /// [`TransitionError`].
    pub async fn transition(
        self,
        upload: &UploadRow,
        event: UploadEvent,
        now: Timestamp,
        change: impl FnOnce(&mut UploadRow),
        mut writes: Vec<Write>,
    ) -> Result<UploadRow, TransitionError> {
        let (lifecycle, effects) = step(&upload.lifecycle(), event, now)?;
        let mut next = upload.clone();
        next.state = lifecycle.state;
        next.lease_until = lifecycle.lease_until;
        next.expires_at = lifecycle.expires_at;
        next.version += 1;
        if next.state.is_final() {
            next.ended_at = Some(now);
        }
        if next.state != upload::State::ProofRequired {
            next.challenge = None;
        }
        for effect in effects {
            match effect {
                Effect::ReturnReservation => {
                    writes.push(quota(&upload.account, QuotaEvent::Give(upload.size))?);
                }
                Effect::DiscardParts => next.discard_since = Some(now),
                // Among `writes`: `commit_file` knows what it is made of.
                Effect::MakeFile => {}
            }
        }
        change(&mut next);
        next.note_due(upload.due_at());
        if writes.is_empty() {
            self.0
                .replace(&next, upload.version, Conflict::UploadChanged)
                .await?;
        } else {
            // First, so that this is the conflict that is reported when somebody else was faster in all of it.
            writes.insert(0, Write::replace(&next, upload.version, Conflict::UploadChanged)?);
            self.0.transact(writes).await?;
        }
        Ok(next)
    }

    /// The sweep has looked at an upload that is under way, and need not before it expires. Nothing else may have happened to
    /// it since it was read: where it is being finalized by now, the function that does so may die.
    ///
    /// # Errors
    /// [`StoreError`]; that something has happened is none.
    pub async fn look_later(self, upload: &UploadRow) -> Result<(), StoreError> {
        let update = "SET due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(upload.key(), update, "version = :version")
            .with(":version", number(upload.version))
            .due(next_check(&upload.lifecycle(), None));
        self.0.update_if(change).await?;
        Ok(())
    }

    /// Discards what an ended upload left at the store: its multipart uploads, and its object unless that
    /// became a blob. The sweep does it when the function that ended the upload could not.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is lost by trying again.
    pub async fn discard(
        self,
        objects: &Objects,
        upload: &UploadRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = upload.object_key();
        objects.abort_all_multiparts(&key).await?;
        if self.0.blobs().get(&upload.blob).await?.is_none() {
            objects.delete(&key).await?;
            let pages = self.0.keys(&crate::rows::blob_partition(&upload.blob)).await?;
            self.0.delete_all(&pages).await?;
        }
        let mut next = upload.clone();
        next.discard_since = discard_again(upload.ended_at, now);
        next.note_due(None);
        next.version += 1;
        self.0
            .replace(&next, upload.version, Conflict::UploadChanged)
            .await
    }

    /// The multipart upload of an open upload, begun if there is none, and the upload as it is now. Also moves
    /// the expiry on: this is what activity is.
    ///
    /// # Errors
    /// [`TransitionError::Refused`] when the upload is not open (any more), [`Conflict::UploadChanged`] when somebody else
    /// changed it meanwhile.
    pub async fn ensure_multipart(
        self,
        objects: &Objects,
        upload: UploadRow,
        expiry: SignedDuration,
        now: Timestamp,
    ) -> Result<(UploadRow, String), TransitionError> {
        let (lifecycle, _) = step(&upload.lifecycle(), UploadEvent::Touch(expiry), now)?;
        let moved = lifecycle.expires_at.duration_since(upload.expires_at);
        let idle = lifecycle.state == upload.state && moved <= TOUCH_EVERY.min(expiry / 10);
        let id = match upload.multipart_id.clone() {
            Some(id) if idle => return Ok((upload, id)),
            Some(id) => id,
            None => objects.begin_multipart(&upload.object_key()).await?,
        };
        let record = |next: &mut UploadRow| next.multipart_id = Some(id.clone());
        let upload_owner = Write::put_unconditional(&UploadOwnerRow::of(&upload), Conflict::UploadChanged)?;
        match self
            .transition(
                &upload,
                UploadEvent::Touch(expiry),
                now,
                record,
                vec![upload_owner],
            )
            .await
        {
            Err(TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(conflict),
                ..
            })) if upload.multipart_id.is_none() => {
                // A write whose answer got lost is sent again, and then refused because of itself.
                let row = self.get(&upload.account, &upload.id).await?;
                if let Some(row) = row.filter(|row| row.multipart_id.as_ref() == Some(&id)) {
                    return Ok((row, id));
                }
                objects.abort_multipart(&upload.object_key(), &id).await?;
                Err(StoreError::from(conflict).into())
            }
            recorded => Ok((recorded?, id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_own_code_does_wrong_is_not_said_of_the_table() {
        let refused = TransitionError::Refused(Refusal::NotHeld).into_store_error();
        assert_eq!(refused.kind, ErrorKind::Internal);
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let limited = quota(&account, QuotaEvent::Limit(1)).err().unwrap();
        assert_eq!(limited.kind, ErrorKind::Internal);
    }
}
