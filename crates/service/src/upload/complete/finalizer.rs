//! What a finalize needs, and what comes after its transaction.

use crate::file::ensure_replicas::ensure_replicas;
use domain::versions::VersionPolicy;
use store::config::{DedupScope, version_policy};
use store::rows::{NodeRow, UploadRow};
use store::{Environment, Objects, StartQueue, StoreError, Table};

/// What a finalize needs.
pub struct Finalizer {
    /// Where it is written down.
    pub table: Table,
    /// Where the bytes are.
    pub objects: Objects,
    /// Where replication begins.
    pub queue: StartQueue,
    /// With whose files a new file may share its bytes.
    pub scope: DedupScope,
    /// Which contents of files are kept that get another one.
    pub versions: VersionPolicy,
}

impl Finalizer {
    /// Everything as the environment names it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` naming the variable that is missing or malformed.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            scope: DedupScope::from_env(environment)?,
            versions: version_policy(environment)?,
        })
    }

    /// What may fail without harm: the sweep finds what was not done.
    pub(super) async fn after_commit(&self, upload: &UploadRow, file: Option<&NodeRow>, targets: &[String]) {
        if upload.discard_since.is_some() {
            if let Some(file) = file {
                ensure_replicas(&self.table, &self.queue, file).await;
            }
            if let Err(error) = self
                .table
                .uploads()
                .discard(&self.objects, upload, self.table.now())
                .await
            {
                tracing::warn!(upload = %upload.id, error = error.for_log(), "left to the sweep: discarding parts");
            }
            return;
        }
        let blob = &upload.blob;
        if let Err(error) = self.queue.start(blob, targets).await {
            tracing::warn!(%blob, error = error.for_log(), "left to the sweep: starting replication");
        }
    }

    /// Aborts what a function left that began a multipart upload and died before writing its id. Before the upload is complete:
    /// if this dies, too, somebody takes it over.
    pub(super) async fn abort_other_multiparts(&self, upload: &UploadRow) {
        if let Err(error) = self.objects.abort_all_multiparts(&upload.object_key()).await {
            let blob = &upload.blob;
            tracing::warn!(%blob, error = error.for_log(), "left to the reconciler: multipart uploads nobody wrote down");
        }
    }
}
