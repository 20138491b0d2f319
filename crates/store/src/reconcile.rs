//! What the reconciler reads and repairs in the table. What belongs to whom is decided in `domain::reconcile`.

use crate::error::{Conflict, StoreError};
use crate::rows::{BlobRow, NodeRow, ReconcileRow, ReplicaRow, UploadOwnerRow, VersionRow, blob_partition};
use crate::table::bulk::{self, Scanned};
use crate::table::{Item, Key, Table, Write, text};
use domain::id::BlobId;
use domain::reconcile::pass::Progress;
use domain::reconcile::{Ownership, UploadOwner};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row that leads to an object.
#[derive(Debug)]
pub enum Owner {
    /// A blob.
    Blob(BlobRow),
    /// The upload owner of an upload.
    Upload(UploadOwnerRow),
    /// A replica, which leads to an object at a target.
    Replica(ReplicaRow),
    /// A file or folder. A file leads to a blob.
    Node(NodeRow),
    /// A version of a file, which leads to a blob.
    Version(VersionRow),
}

/// Some of the rows that lead to objects, and where the next ones begin.
#[derive(Debug)]
pub struct Owners {
    /// The rows.
    pub rows: Vec<Owner>,
    /// Where rows are that cannot be read.
    pub unreadable: Vec<Key>,
    /// The key after which the next ones begin; `None` at the end.
    pub next: Option<Key>,
}

/// What the reconciler reads and repairs.
#[derive(Clone, Copy)]
pub struct Reconciliation<'a>(pub(crate) &'a Table);

impl Table {
    /// What the reconciler reads and repairs.
    #[must_use]
    pub fn reconciliation(&self) -> Reconciliation<'_> {
        Reconciliation(self)
    }
}

impl Reconciliation<'_> {
    /// How far the reconciler is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn progress(self) -> Result<ReconcileRow, StoreError> {
        let key = ReconcileRow::key_of();
        let row = self.0.or_leave_out(self.0.get(&key).await)?;
        if row.is_none() {
            // Nothing is lost but how far it was: it begins anew.
            self.0.delete_all(&[key]).await?;
        }
        Ok(row.flatten().unwrap_or_default())
    }

    /// Writes down how far the reconciler is. `None`: another one was faster, and its word counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_progress(
        self,
        was: &ReconcileRow,
        progress: Progress,
    ) -> Result<Option<ReconcileRow>, StoreError> {
        let version = was.version + 1;
        let next = ReconcileRow { progress, version };
        let written = if was.version == 0 {
            self.0
                .transact(vec![Write::create(&next, Conflict::NodeChanged)?])
                .await
        } else {
            self.0.replace(&next, was.version, Conflict::NodeChanged).await
        };
        match written {
            Ok(()) => Ok(Some(next)),
            Err(error) if error.is_conflict() => {
                // A write whose answer got lost is sent again, and then refused because of itself.
                let row = self.progress().await?;
                let mine = row.version == next.version && row.progress == next.progress;
                Ok(mine.then_some(next))
            }
            Err(error) => Err(error),
        }
    }

    /// Looks at up to `limit` rows of the whole table after the key `after`, and returns those among them
    /// that lead to objects.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owners(self, after: Option<&Key>, limit: u32) -> Result<Owners, StoreError> {
        let values = HashMap::from([
            (":blob".to_owned(), text(BlobRow::SK)),
            (":upload_owner".to_owned(), text(UploadOwnerRow::SK)),
            (":replica".to_owned(), text(ReplicaRow::PREFIX)),
            (":node".to_owned(), text(NodeRow::PREFIX)),
            (":version".to_owned(), text(VersionRow::PREFIX)),
        ]);
        let filter = "sk IN (:blob, :upload_owner) OR begins_with(sk, :replica) OR begins_with(sk, :node) \
                      OR begins_with(sk, :version)";
        let Scanned { items, next } = self.0.scan(filter, values, after, limit).await?;
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for item in items {
            let key = bulk::key_of(&item);
            match self.0.or_leave_out(owner(item))? {
                Some(row) => rows.push(row),
                None => unreadable.extend(key),
            }
        }
        Ok(Owners {
            rows,
            unreadable,
            next,
        })
    }

    /// Those of these that have probably become blobs, each with its row where that can be read: at half the price, so
    /// a caller that does something about one that is missing asks again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn blobs_of(self, ids: &[BlobId]) -> Result<BTreeMap<BlobId, Option<BlobRow>>, StoreError> {
        let keys: BTreeMap<Key, &BlobId> = ids.iter().map(|id| (BlobRow::key_of(id), id)).collect();
        let items = self.0.batch_get_as(keys.keys().cloned(), None, false).await?;
        let named = items.into_iter().filter_map(|item| {
            let id = *keys.get(&bulk::key_of(&item)?)?;
            // What cannot be read is there all the same. The pass over the rows says so.
            Some((id.clone(), bulk::read(item).ok()))
        });
        Ok(named.collect())
    }

    /// Which of these have become blobs, consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn blobs_among(self, ids: &[BlobId]) -> Result<BTreeSet<BlobId>, StoreError> {
        let there = self.0.existing(ids.iter().map(BlobRow::key_of)).await?;
        let is_blob = |id: &&BlobId| there.contains(&BlobRow::key_of(id));
        Ok(ids.iter().filter(is_blob).cloned().collect())
    }

    /// Who may still make something of the parts or the object of this blob to be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn upload_owner(self, blob: &BlobId) -> Result<UploadOwner, StoreError> {
        let Some(upload_owner) = self
            .0
            .get::<UploadOwnerRow>(&UploadOwnerRow::key_of(blob))
            .await?
        else {
            return Ok(UploadOwner::Nobody);
        };
        let upload = self
            .0
            .uploads()
            .get(&upload_owner.account, &upload_owner.upload)
            .await?;
        Ok(match upload {
            None => UploadOwner::Nobody,
            Some(upload) if upload.state.is_final() => UploadOwner::Ended { at: upload.ended_at },
            Some(upload) => UploadOwner::Unfinished {
                multipart_id: upload.multipart_id,
            },
        })
    }

    /// Whose this blob or blob to be is. In the order that [`Ownership`] asks for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ownership(self, blob: &BlobId) -> Result<Ownership, StoreError> {
        let upload_owner = self.upload_owner(blob).await?;
        let is_blob = !self.0.existing([BlobRow::key_of(blob)]).await?.is_empty();
        Ok(Ownership {
            upload_owner,
            is_blob,
        })
    }

    /// Deletes what is written about bytes that never became a blob, the upload owner last: until then the
    /// reconciler comes back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_unborn(self, blob: &BlobId) -> Result<(), StoreError> {
        let (own, upload_owner) = (BlobRow::key_of(blob), UploadOwnerRow::key_of(blob));
        let mut keys = self.0.keys(&blob_partition(blob)).await?;
        keys.retain(|key| *key != own && *key != upload_owner);
        self.0.delete_all(&keys).await?;
        self.0.delete_all(&[upload_owner]).await
    }
}

fn owner(item: Item) -> Result<Owner, StoreError> {
    match bulk::key_of(&item).as_ref().map(|key| key.sk.as_str()) {
        Some(BlobRow::SK) => bulk::read(item).map(Owner::Blob),
        Some(sk) if sk.starts_with(ReplicaRow::PREFIX) => bulk::read(item).map(Owner::Replica),
        Some(sk) if sk.starts_with(NodeRow::PREFIX) => bulk::read(item).map(Owner::Node),
        Some(sk) if sk.starts_with(VersionRow::PREFIX) => bulk::read(item).map(Owner::Version),
        _ => bulk::read(item).map(Owner::Upload),
    }
}
