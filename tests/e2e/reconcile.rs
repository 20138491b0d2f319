//! What the reconciler finds when it compares bucket and table, and what it makes of that.

mod interrupted;
mod objects;
mod replicas;

use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::world::{Sent, World, new_key, schedule};
use serde_json::json;

/// More objects or multipart uploads than the reconciler looks at in one page.
const MORE_THAN_A_PAGE: usize = 105;
/// The same of rows.
const MORE_ROWS_THAN_A_PAGE: usize = 1010;

#[tokio::test]
async fn what_has_no_owner_is_removed_and_nothing_else() {
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;

    // Nobody's: a blob's object without the blob, an object without a word about it, and multipart uploads.
    let lost_row = world.store("b", &fresh(1000)).await;
    world.lose_item(&lost_row.partition(), "BLOB").await;
    let unknown = new_key();
    world.put_object(&unknown, b"?").await;
    let nobodys = new_key();
    world.begin_multipart(&nobodys).await;
    world.begin_multipart(&file.key()).await;

    // An open upload's, and what a finalize left of one that found its name taken.
    let bytes = fresh(1000);
    let open = world.open("c", &bytes).await;
    let its_own = world.multiparts(&open.key()).await;
    world.begin_multipart(&open.key()).await;
    let unnamed_bytes = fresh(1000);
    let unnamed = world.open("d", &unnamed_bytes).await;
    let taken = world.store("d", &fresh(1000)).await;
    assert_eq!(world.complete(&unnamed).await.body["code"], "name_taken");
    assert!(world.has_object(&unnamed.key()).await, "its object is made");
    assert_eq!(
        world.item(&unnamed.partition(), "BLOB").await,
        None,
        "and no blob"
    );

    // An upload owner whose upload is gone, and one whose upload ended just now.
    let (gone, ended) = (
        world.open("e", &fresh(1000)).await,
        world.open("f", &fresh(1000)).await,
    );
    let row = world.upload_row(&gone.upload).await;
    let account = format!("ACCOUNT#{}", row["account"].as_str().unwrap());
    world
        .lose_item(&account, &format!("UPLOAD#{}", gone.upload))
        .await;
    world.abort(&ended).await;
    world
        .put_items(&[json!({
            "pk": ended.partition(), "sk": "UPLOAD", "blob": ended.blob,
            "account": row["account"], "upload": ended.upload,
        })])
        .await;

    // Somebody else's.
    let foreign = [
        "readme.txt",
        "blobs/readme",
        &format!("{}/x", file.key()),
        "backup/x",
    ];
    for key in foreign {
        world.put_object(key, b"foreign").await;
    }
    world.begin_multipart("backup/y").await;

    // All of it is young, and the deployed reconciler skips it; and it does not begin again at once.
    let mut patient = world.function("reconcile", |_| Act::Pass).await;
    let first = patient.invoke(&schedule()).await.unwrap();
    let expected = json!({
        "state": "ended", "started_at": first["started_at"],
        "objects_seen": 5, "objects_orphaned": 0, "multiparts_seen": 5, "multiparts_aborted": 0,
        "blobs_seen": 2, "blobs_checked": first["blobs_checked"], "blobs_lost": 0, "blobs_found": 0,
        "replicas_seen": 0, "replicas_checked": 0, "replicas_lost": 0, "replicas_added": 0, "replicas_removed": 0,
        "upload_owners_removed": 1, "foreign": 5, "failed": 0, "skipped": 0, "sample": 12,
    });
    assert_eq!(first, expected);
    assert_eq!(
        world.sort_keys(&gone.partition()).await,
        [""; 0],
        "its upload is gone"
    );
    let again = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&again["state"], &again["started_at"]),
        (&json!("not_due"), &first["started_at"])
    );

    let report = world.reconcile().await;
    let expected = json!({
        "state": "ended", "started_at": report["started_at"],
        "objects_seen": 5, "objects_orphaned": 2, "multiparts_seen": 5, "multiparts_aborted": 4,
        "blobs_seen": 2, "blobs_checked": 2, "blobs_lost": 0, "blobs_found": 0,
        "replicas_seen": 0, "replicas_checked": 0, "replicas_lost": 0, "replicas_added": 0, "replicas_removed": 0,
        "upload_owners_removed": 1, "foreign": 5, "failed": 0, "skipped": 0, "sample": 1,
    });
    assert_eq!(report, expected);
    let mut left: Vec<_> = [&file, &taken, &unnamed].map(Sent::key).to_vec();
    left.extend(foreign.map(str::to_owned));
    let mut keys = world.keys().await;
    left.sort();
    keys.sort();
    assert_eq!(keys, left);
    assert_eq!(world.multiparts("blobs/").await, its_own);
    assert_eq!(world.multiparts("backup/").await.len(), 1);
    for blob in [&lost_row, &gone, &ended] {
        assert_eq!(world.sort_keys(&blob.partition()).await, [""; 0]);
    }

    // The upload that was kept can go on.
    assert_eq!(world.complete(&open).await.status, 200);
    world.delete_file(&taken).await;
    assert_eq!(world.complete(&unnamed).await.status, 200);
    let report = world.reconcile().await;
    assert_eq!(
        (&report["blobs_seen"], &report["objects_orphaned"]),
        (&json!(4), &json!(0))
    );
    world.remove().await;
}
