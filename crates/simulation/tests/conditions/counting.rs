//! Late writes about how much is in the trash.

use crate::scene::{Scene, lived};
use crate::trash::{done, full_folder};
use futures::future::join;
use serde_json::{Value, json};
use simulation::cloud::{Fault, Faults};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Until the sweep has counted what is in the trash.
const COUNTED: Duration = Duration::from_mins(2);
/// Until the sweep removes what is in the trash.
const EXPIRED: Duration = Duration::from_hours(31 * 24);

async fn trashed(scene: &Scene<'_>) -> String {
    let folder = full_folder(scene).await;
    // Before they are too old.
    scene.messages().await;
    done(scene, "DELETE", &format!("/v1/files/{folder}")).await;
    folder
}

/// What is in a folder goes elsewhere.
async fn move_out(scene: &Scene<'_>, folder: &str) {
    let listed = scene
        .ann
        .call("GET", &format!("/v1/files?parent={folder}"), None)
        .await;
    let file = listed.body["items"][0]["id"].as_str().expect("a file").to_owned();
    let out = Some(json!({ "parent": null }));
    let moved = scene.ann.call("PATCH", &format!("/v1/files/{file}"), out).await;
    assert_eq!(moved.status, 200, "{moved:?}");
}

async fn late_removal(scene: &Scene<'_>, folder: &str) {
    let path = format!("/v1/files/{folder}?permanently=true");
    scene.hold();
    scene.send(&scene.ann.request("DELETE", path, None)).await;
}

/// The sweep cannot write transactions. Returns whether it has tried.
fn fail(scene: &Scene<'_>) -> Arc<AtomicBool> {
    let has_tried = Arc::new(AtomicBool::new(false));
    let tries = Arc::clone(&has_tried);
    scene.world.cloud.set_faults(Faults::by(move |call| {
        let writes = call.function == "sweep" && call.operation == "DynamoDB TransactWriteItems";
        tries.fetch_or(writes, Ordering::Relaxed);
        writes.then_some(Fault::Throttle)
    }));
    has_tried
}

/// A sweep has begun to remove a counted folder, and died.
fn begin_removal(scene: &Scene<'_>) {
    let rows = scene.world.rows();
    let find = |prefix: &str| {
        let is_it = |row: &&Value| row["sk"].as_str().is_some_and(|sk| sk.starts_with(prefix));
        rows.iter().find(is_it).expect("a row")
    };
    let (row, account) = (find("TRASH#"), find("ACCOUNT"));
    scene.change(
        row,
        json!({
            "UpdateExpression": "SET purging = :yes, due_at = :then REMOVE #bytes, #files",
            "ExpressionAttributeNames": { "#bytes": "bytes", "#files": "files" },
            "ExpressionAttributeValues": { ":yes": { "BOOL": true }, ":then": { "N": "1" } },
        }),
    );
    let less = format!("-{}", row["bytes"]);
    scene.change(
        account,
        json!({
            "UpdateExpression": "ADD trash_bytes :less",
            "ExpressionAttributeValues": { ":less": { "N": less } },
        }),
    );
}

/// A count is written when the folder is back.
pub(crate) fn a_count_of_what_has_come_back(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = trashed(scene).await;
        scene.hold();
        scene.sweep_after(COUNTED).await;
        done(scene, "POST", &format!("/v1/trash/{folder}/restore")).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A sweep that could not remove a folder puts it off, when the folder is back.
pub(crate) fn what_has_come_back_and_is_put_off(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = trashed(scene).await;
        fail(scene);
        scene.hold();
        scene.sweep_after(COUNTED).await;
        scene.world.cloud.set_faults(Faults::none());
        done(scene, "POST", &format!("/v1/trash/{folder}/restore")).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A sweep begins to remove what another has removed.
pub(crate) fn what_is_gone(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        trashed(scene).await;
        scene.hold();
        scene.sweep_after(EXPIRED).await;
        scene.sweep_after(COUNTED).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// The same where it was counted before.
pub(crate) fn what_is_counted_and_gone(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        trashed(scene).await;
        scene.sweep_after(COUNTED).await;
        scene.hold();
        scene.sweep_after(EXPIRED).await;
        scene.sweep_after(COUNTED).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A folder in which nothing is any more is removed at once, when the sweep has just begun to remove it.
pub(crate) fn a_folder_that_is_being_removed(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = trashed(scene).await;
        scene.sweep_after(COUNTED).await;
        move_out(scene, &folder).await;
        late_removal(scene, &folder).await;
        begin_removal(scene);
        scene.let_go().await;
        scene.settled().await
    })
}

/// A folder in which nothing is any more is removed at once, when the sweep has counted what was in it.
pub(crate) fn a_folder_that_is_counted_meanwhile(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = trashed(scene).await;
        sleep(COUNTED).await;
        let has_tried = fail(scene);
        let remove = async {
            while !has_tried.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(1)).await;
            }
            move_out(scene, &folder).await;
            late_removal(scene, &folder).await;
            scene.world.cloud.set_faults(Faults::none());
        };
        join(scene.invoke("sweep", json!({})), remove).await;
        scene.let_go().await;
        scene.settled().await
    })
}
