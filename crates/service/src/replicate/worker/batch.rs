//! The items that the messages for one target are about.

use super::delivery::Delivery;
use domain::content::PartDigest;
use domain::id::BlobId;
use domain::replica::State;
use std::collections::BTreeMap;
use store::rows::{BlobRow, ReplicaRow};
use store::{ErrorKind, StoreError, Table};

/// How many messages are read of at a time.
const READ: usize = 50;

/// A blob and its replica at the target.
pub(super) type BlobAndReplica = (BlobRow, ReplicaRow);

/// The items that the messages for one target are about.
#[derive(Default)]
pub(super) struct Batch {
    jobs: BTreeMap<BlobId, Result<BlobAndReplica, StoreError>>,
    digests: BTreeMap<BlobId, PartDigest>,
}

impl Batch {
    /// Reads what the messages are about.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn read(table: &Table, deliveries: &[&Delivery]) -> Result<Self, StoreError> {
        let mut batch = Self::default();
        for chunk in deliveries.chunks(READ) {
            let subject = |delivery: &&Delivery| {
                let (blob, target) = delivery.message.subject();
                (blob.clone(), target.to_owned())
            };
            let subjects: Vec<_> = chunk.iter().map(subject).collect();
            match batch.add(table, &subjects).await {
                Err(error) if error.kind == ErrorKind::Corrupt => {
                    // One by one, so that only those suffer of which nothing can be read.
                    for subject in subjects {
                        match batch.add(table, std::slice::from_ref(&subject)).await {
                            Err(error) if error.kind == ErrorKind::Corrupt => {
                                batch.jobs.insert(subject.0, Err(error));
                            }
                            read => read?,
                        }
                    }
                }
                read => read?,
            }
        }
        Ok(batch)
    }

    async fn add(&mut self, table: &Table, subjects: &[(BlobId, String)]) -> Result<(), StoreError> {
        let read = table.replicas().jobs(subjects).await?;
        let is_small = |blob: &BlobRow| blob.parts().is_ok_and(|plan| plan.part_count() == 1);
        let small: Vec<BlobId> = read
            .values()
            .filter(|(blob, replica)| replica.state != State::Available && is_small(blob))
            .map(|(blob, _)| blob.id.clone())
            .collect();
        self.digests.extend(table.replicas().only_digests(&small).await?);
        let jobs = read.into_values().map(|job| (job.0.id.clone(), Ok(job)));
        self.jobs.extend(jobs);
        Ok(())
    }

    /// A blob and its replica; `None` when one of them is gone.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt`.
    pub(super) fn job(&self, blob: &BlobId) -> Result<Option<BlobAndReplica>, StoreError> {
        self.jobs.get(blob).cloned().transpose()
    }

    /// The digest of a blob of one part.
    pub(super) fn digest(&self, blob: &BlobId) -> Option<PartDigest> {
        self.digests.get(blob).copied()
    }
}
