//! Late writes about replicas.

use crate::scene::{COPIES, STARTS, Scene, lived, two_parts};
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::world::{TARGET_BUCKET, World};
use std::time::Duration;

/// Another has copied it, and written that down.
pub(crate) fn a_copy_that_is_made(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &Bytes::from_static(b"x")).await;
        late(scene).await
    })
}

/// Others have copied all of it when it is written down that a multipart upload was begun.
pub(crate) fn a_multipart_upload_that_is_begun(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &two_parts()).await;
        late(scene).await
    })
}

/// Others have begun another one and completed it when it is written down that one is gone.
pub(crate) fn a_multipart_upload_that_is_gone(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &two_parts()).await;
        scene.batch(STARTS).await;
        for target in scene.world.cloud.services().targets.values_mut() {
            target.remove_uploads(TARGET_BUCKET);
        }
        late(scene).await
    })
}

/// Another has recorded the segment.
pub(crate) fn a_segment_that_is_recorded(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &two_parts()).await;
        scene.batch(STARTS).await;
        scene.hold();
        scene.batch(COPIES).await;
        scene.batch(COPIES).await;
        scene.let_go().await;
        scene.settled().await.or_else(|| miscounted(scene.world))
    })
}

/// Another has recorded it, and the object is made and the segments are forgotten.
pub(crate) fn a_segment_of_what_is_done(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &two_parts()).await;
        scene.batch(STARTS).await;
        late(scene).await
    })
}

/// The same of a replica that was left without a message.
pub(crate) fn a_segment_of_what_was_parked(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &two_parts()).await;
        scene.batch(STARTS).await;
        for row in scene.world.rows() {
            if is_replica(&row) {
                scene.change(&row, json!({ "UpdateExpression": "REMOVE due_shard, due_at" }));
            }
        }
        late(scene).await
    })
}

/// A write about a replica is done when all others are.
async fn late(scene: &Scene<'_>) -> Option<String> {
    scene.hold();
    scene.messages().await;
    scene.let_go().await;
    scene.settled().await.or_else(|| miscounted(scene.world))
}

/// The target was to be emptied, and is not any more: by now it has the bytes.
pub(crate) fn a_replica_that_is_removed(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &Bytes::from_static(b"x")).await;
        scene.world.set_targets(&["near", "far"], &["far"]);
        scene.sweep_after(Duration::from_mins(1)).await;
        scene.hold();
        scene.reconcile_after(Duration::from_mins(25)).await;
        scene.world.set_targets(&["near", "far"], &[]);
        scene.messages().await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// It is put off when it is looked at again, and by now it is gone.
pub(crate) fn a_replica_that_is_put_off(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &Bytes::from_static(b"x")).await;
        scene.hold();
        scene.sweep_after(Duration::from_mins(21)).await;
        scene.delete(&file).await;
        scene.sweep_after(Duration::from_hours(25)).await;
        scene.sweep_after(Duration::from_mins(25)).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// There is another target, and by now the blob is gone.
pub(crate) fn a_replica_that_is_missing(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &Bytes::from_static(b"x")).await;
        scene.messages().await;
        scene.world.set_targets(&["near", "far", "third"], &[]);
        scene.sweep_after(Duration::from_mins(1)).await;
        scene.hold();
        scene.reconcile_after(Duration::from_mins(5)).await;
        scene.reclaim(&file).await;
        scene.let_go().await;
        scene.settled().await
    })
}

fn is_replica(row: &Value) -> bool {
    row["sk"].as_str().is_some_and(|sk| sk.starts_with("REPLICA#"))
}

/// Each replica that is there has all its bytes, and they were copied there once.
pub(crate) fn miscounted(world: &World) -> Option<String> {
    let rows = world.rows();
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap_or_default();
    let replicas = || rows.iter().filter(|row| is_replica(row));
    let size: u64 = replicas().map(|row| number(row, "size")).sum();
    let copied: u64 = rows.iter().map(|row| number(row, "copied_bytes")).sum();
    if copied != size {
        return Some(format!("{copied} bytes are counted as copied of {size}"));
    }
    let mut replicas = replicas();
    let other = replicas.find(|row| row["bytes_done"] != row["size"]);
    other.map(|row| format!("more or less than all is done of {row}"))
}
