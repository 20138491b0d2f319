//! What there is of replicas.

use super::Replicas;
use crate::error::StoreError;
use crate::rows::{BlobRow, PartDigestsRow, ReplicaRow, blob_partition};
use crate::table::{Key, Rows};
use domain::content::PartDigest;
use domain::id::BlobId;
use std::collections::BTreeMap;

impl Replicas<'_> {
    /// All replicas of a blob.
    ///
    /// # Errors
    /// [`StoreError`] when one of them cannot be read.
    pub async fn of(self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.0
            .all(&blob_partition(blob), ReplicaRow::PREFIX)
            .await?
            .complete()
    }

    /// The replicas of a blob that can be read: to show them, or to look for one that is good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn readable(self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        let all = self.0.all(&blob_partition(blob), ReplicaRow::PREFIX).await?;
        Ok(all.rows)
    }

    /// One replica of a blob.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, blob: &BlobId, target: &str) -> Result<Option<ReplicaRow>, StoreError> {
        self.0.get(&ReplicaRow::key_of(blob, target)).await
    }

    /// Blobs by id, with the replicas of each at these targets: what a batch of messages is about.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn jobs(
        self,
        subjects: &[(BlobId, String)],
    ) -> Result<BTreeMap<(BlobId, String), (BlobRow, ReplicaRow)>, StoreError> {
        let blobs = subjects.iter().map(|(blob, _)| BlobRow::key_of(blob));
        let blobs: Vec<BlobRow> = self.0.get_many(blobs).await?.complete()?;
        let replicas = subjects
            .iter()
            .map(|(blob, target)| ReplicaRow::key_of(blob, target));
        let replicas: Vec<ReplicaRow> = self.0.get_many(replicas).await?.complete()?;
        let blobs: BTreeMap<BlobId, BlobRow> = blobs.into_iter().map(|row| (row.id.clone(), row)).collect();
        let job = |replica: ReplicaRow| {
            let blob = blobs.get(&replica.blob)?.clone();
            Some(((replica.blob.clone(), replica.target.clone()), (blob, replica)))
        };
        Ok(replicas.into_iter().filter_map(job).collect())
    }

    /// The digests of those among some blobs of one part whose part digests are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn only_digests(self, blobs: &[BlobId]) -> Result<BTreeMap<BlobId, PartDigest>, StoreError> {
        let keys = blobs.iter().map(|blob| PartDigestsRow::key_of(blob, 0));
        let pages: Vec<PartDigestsRow> = self.0.get_many(keys).await?.complete()?;
        let digest = |page: PartDigestsRow| Some((page.blob, page.digests.first().copied()?));
        Ok(pages.into_iter().filter_map(digest).collect())
    }

    /// Those replicas that wait for their bytes and have no message, the longest first; and how many cannot be read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked(
        self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(Vec<ReplicaRow>, usize), StoreError> {
        let (mut rows, unreadable) = self.under_way(keys).await?;
        rows.retain(|replica| replica.due_at.is_none());
        Ok((rows, unreadable))
    }

    /// Those replicas that wait for their bytes or are being copied, the longest first; and how many cannot be read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn under_way(
        self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(Vec<ReplicaRow>, usize), StoreError> {
        let Rows { mut rows, unreadable } = self.0.get_many::<ReplicaRow>(keys).await?;
        // The index may be behind.
        rows.retain(|replica| replica.state.is_under_way());
        rows.sort_by_key(|replica| replica.since);
        Ok((rows, unreadable.len()))
    }
}
