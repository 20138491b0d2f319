//! What there is of replicas.

use crate::error::StoreError;
use crate::rows::{BlobRow, LedgerRow, ReplicaRow, blob_partition};
use crate::table::Table;
use domain::content::PartDigest;
use domain::id::BlobId;
use std::collections::HashMap;

impl Table {
    /// All replicas of a blob.
    ///
    /// # Errors
    /// [`StoreError`] when one of them cannot be read.
    pub async fn replicas(&self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.all(&blob_partition(blob), ReplicaRow::PREFIX)
            .await?
            .complete()
    }

    /// The replicas of a blob that can be read: for whoever looks at them, or looks for one that is good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn readable_replicas(&self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        let all = self.all(&blob_partition(blob), ReplicaRow::PREFIX).await?;
        Ok(all.rows)
    }

    /// One replica of a blob.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replica(&self, blob: &BlobId, target: &str) -> Result<Option<ReplicaRow>, StoreError> {
        self.get(&ReplicaRow::key_of(blob, target)).await
    }

    /// Blobs by id, with the replicas of each at these targets: what a batch of messages is about.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn jobs(
        &self,
        subjects: &[(BlobId, String)],
    ) -> Result<HashMap<(BlobId, String), (BlobRow, ReplicaRow)>, StoreError> {
        let blobs = subjects.iter().map(|(blob, _)| BlobRow::key_of(blob));
        let blobs: Vec<BlobRow> = self.get_many(blobs).await?.complete()?;
        let replicas = subjects
            .iter()
            .map(|(blob, target)| ReplicaRow::key_of(blob, target));
        let replicas: Vec<ReplicaRow> = self.get_many(replicas).await?.complete()?;
        let blobs: HashMap<BlobId, BlobRow> = blobs.into_iter().map(|row| (row.id.clone(), row)).collect();
        let job = |replica: ReplicaRow| {
            let blob = blobs.get(&replica.blob)?.clone();
            Some(((replica.blob.clone(), replica.target.clone()), (blob, replica)))
        };
        Ok(replicas.into_iter().filter_map(job).collect())
    }

    /// The digests of those among some blobs of one part whose ledgers are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn only_digests(&self, blobs: &[BlobId]) -> Result<HashMap<BlobId, PartDigest>, StoreError> {
        let keys = blobs.iter().map(|blob| LedgerRow::key_of(blob, 0));
        let pages: Vec<LedgerRow> = self.get_many(keys).await?.complete()?;
        let digest = |page: LedgerRow| Some((page.blob, page.digests.first().copied()?));
        Ok(pages.into_iter().filter_map(digest).collect())
    }
}
