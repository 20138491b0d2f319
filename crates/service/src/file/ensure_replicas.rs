//! A blob that one more file refers to may lack replicas that the file's policies ask for.

use store::rows::NodeRow;
use store::{StartQueue, StoreError, Table};

/// Gives the blob that a file refers to the replicas that it lacks, where policies may ask for more than those it got
/// when it was made. What fails here the reconciler does later.
pub async fn ensure_replicas(table: &Table, queue: &StartQueue, node: &NodeRow) {
    let Some(file) = &node.file else {
        return;
    };
    let (blob, now) = (&file.blob, table.now());
    let (account, parent) = (&node.account, node.parent.as_ref());
    let ensured = async {
        let target_registry = table.targets().recent_target_registry().await?;
        if target_registry.policies.is_empty() {
            return Ok(());
        }
        let targets = table.targets().of_file(&target_registry, account, parent).await?;
        let made = table.replicas().add(blob, &targets, now).await?;
        queue.start(blob, &made).await
    };
    let ensured: Result<(), StoreError> = ensured.await;
    if let Err(error) = ensured {
        tracing::warn!(%blob, error = error.for_log(), "left to the reconciler: further replicas");
    }
}
