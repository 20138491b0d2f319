//! Blobs whose bytes are deleted: many at once, because each of them takes little.
//!
//! The order is that of one blob alone. What it has at targets is gone before its replicas are; those, its object, and what
//! is written about it go before the blob's own item, which is what brings the sweep back until all is done.

use domain::id::BlobId;
use std::collections::BTreeMap;
use store::blobs::BlobItems;
use store::rows::{ReplicaRow, object_key};
use store::table::{Key, Row};
use store::{Objects, StoreError, Table};

/// Those for which something did not work, and why.
type Failures = BTreeMap<BlobId, StoreError>;

/// Deletes replicas, objects and items of blobs that are being reclaimed, each blob's own item last. What the replicas
/// have at their targets must be gone by now. Returns what came of each: one that fails does not keep the
/// others.
pub(super) async fn reclaim(
    table: &Table,
    objects: &Objects,
    mut remains: Vec<BlobItems>,
) -> Vec<(Key, Result<(), StoreError>)> {
    let mut ended = Vec::new();
    let mut leave = |remains: &mut Vec<BlobItems>, failed: Failures| {
        remains.retain(|one| {
            let Some(error) = failed.get(&one.blob.id) else {
                return true;
            };
            ended.push((one.blob.key(), Err(error.clone())));
            false
        });
    };
    let failed = remove_replicas_of(table, &remains).await;
    leave(&mut remains, failed);
    // Multipart uploads of their keys are not looked for: a blob's own is what became its object, and one that nobody
    // wrote down is the reconciler's, which aborts it whether or not there is a blob.
    let failed = delete_objects_of(objects, &remains).await;
    leave(&mut remains, failed);
    let rest: Vec<Key> = remains.iter().flat_map(|one| one.rest.clone()).collect();
    let failed = all_or_none(&remains, table.delete_all(&rest).await);
    leave(&mut remains, failed);
    let own: Vec<Key> = remains.iter().map(|one| one.blob.key()).collect();
    let failed = all_or_none(&remains, table.delete_all(&own).await);
    leave(&mut remains, failed);
    ended.extend(remains.iter().map(|one| (one.blob.key(), Ok(()))));
    ended
}

async fn remove_replicas_of(table: &Table, remains: &[BlobItems]) -> Failures {
    let replicas: Vec<&ReplicaRow> = remains.iter().flat_map(|one| &one.replicas).collect();
    let removed = table.replicas().remove_many(&replicas).await;
    let failed = replicas.iter().zip(removed);
    failed
        .filter_map(|(replica, removed)| Some((replica.blob.clone(), removed.err()?)))
        .collect()
}

async fn delete_objects_of(objects: &Objects, remains: &[BlobItems]) -> Failures {
    let keys: Vec<String> = remains.iter().map(|one| object_key(&one.blob.id)).collect();
    match objects.delete_many(&keys).await {
        Ok(failed) => remains
            .iter()
            .zip(&keys)
            .filter_map(|(one, key)| Some((one.blob.id.clone(), failed.get(key)?.clone())))
            .collect(),
        error => all_or_none(remains, error.map(drop)),
    }
}

fn all_or_none(remains: &[BlobItems], outcome: Result<(), StoreError>) -> Failures {
    match outcome {
        Ok(()) => Failures::new(),
        Err(error) => remains
            .iter()
            .map(|one| (one.blob.id.clone(), error.clone()))
            .collect(),
    }
}
