//! One row that cannot be read, of each kind: what has nothing to do with it goes on, the log has its key once, and a caller that asks
//! is told how many are missing. What the store makes of it in detail is in `crates/store/tests/agreement/unreadable.rs`.

use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::world::{World, schedule};
use serde_json::{Value, json};

/// Makes an attribute of an item one that cannot be parsed.
async fn break_item(world: &World, pk: &str, sk: &str, attribute: &str) {
    world
        .set_item(pk, sk, &json!({ attribute: { "odd": true } }))
        .await;
}

/// Asks an endpoint. Returns its answer, and the function with its log.
async fn ask(world: &World, function: &str, id: Option<&str>) -> (u64, Value, Sandbox) {
    let event = http_event(function, id, &world.person.token, None);
    let mut function = world.function(function, |_| Act::Pass).await;
    let answer = function.invoke(&event).await.unwrap();
    let body = serde_json::from_str(answer["body"].as_str().unwrap_or_default());
    (
        answer["statusCode"].as_u64().unwrap(),
        body.unwrap_or_default(),
        function,
    )
}

/// The log has each of these sort keys in one line.
fn logged_once(function: &Sandbox, keys: &[&str]) {
    let log = function.log();
    for key in keys {
        let lines = log.lines().filter(|line| line.contains(&format!("\"{key}\"")));
        assert_eq!(lines.count(), 1, "{key}: {log}");
    }
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_stops_nothing_else() {
    let mut world = World::new().await;
    let target = world.new_target("far").await;
    world.set_targets(&[&target]).await;
    let pk = world.person.partition();
    world
        .set_item(&pk, "ACCOUNT", &json!({ "role": "operator" }))
        .await;
    let mut files = Vec::new();
    for name in ["a", "b"] {
        files.push(world.store(name, &fresh(100)).await);
    }
    let mut uploads = Vec::new();
    for name in ["c", "d"] {
        uploads.push(world.open(name, &fresh(100)).await);
    }
    let node = world.upload_row(&files[0].upload).await["node"].clone();
    let node = node.as_str().unwrap();
    let (node_key, upload_key) = (format!("NODE#{node}"), format!("UPLOAD#{}", uploads[0].upload));
    let entry_key = "ENTRY##a";
    for key in [entry_key, &node_key] {
        break_item(&world, &pk, key, "created_at").await;
    }
    break_item(&world, &pk, &upload_key, "created_at").await;

    // Lists.
    let (status, list, function) = ask(&world, "file-list", None).await;
    assert_eq!(
        (status, names(&list), &list["skipped"]),
        (200, vec!["b"], &json!(1))
    );
    logged_once(&function, &[entry_key]);
    let (status, list, function) = ask(&world, "upload-list", None).await;
    assert_eq!(
        (status, names(&list), &list["skipped"]),
        (200, vec!["d"], &json!(1))
    );
    logged_once(&function, &[&upload_key]);

    // What failed at a target is tried again.
    for file in &files {
        let failed = json!({
            "state": "failed", "waiting_shard": "far#somebody#0", "waiting_since": 1,
        });
        world.set_item(&file.partition(), "REPLICA#far", &failed).await;
    }
    break_item(&world, &files[0].partition(), "REPLICA#far", "since").await;
    let (status, body, function) = ask(&world, "target-redrive", Some("far")).await;
    assert_eq!(
        (status, body),
        (200, json!({ "redriven": 1, "more": false, "skipped": 1 }))
    );
    logged_once(&function, &["REPLICA#far"]);

    // The sweep: what is due and cannot be read is left, and the rest is done.
    let due = json!({ "due_at": 1, "expires_at": "2020-01-01T00:00:00Z" });
    for upload in &uploads {
        world
            .set_item(&pk, &format!("UPLOAD#{}", upload.upload), &due)
            .await;
    }
    let mut sweep = world.function("sweep", |_| Act::Pass).await;
    let report = sweep.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["expired"], &report["failed"], &report["skipped"]),
        (&json!(1), &json!(1), &json!(1)),
        "{report}"
    );
    logged_once(&sweep, &[&upload_key]);
    assert_eq!(world.upload_row(&uploads[1].upload).await["state"], "expired");

    // The reconciler: one of each kind that it reads, and its own.
    break_item(&world, &files[1].partition(), "BLOB", "created_at").await;
    break_item(&world, &uploads[0].partition(), "UPLOAD", "account").await;
    world
        .put_items(&[json!({ "pk": "RECONCILE", "sk": "RECONCILE", "progress": "?" })])
        .await;
    let mut reconciler = world.reconciler(|_| Act::Pass).await;
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["state"], &report["skipped"]),
        (&json!("ended"), &json!(4)),
        "{report}"
    );
    logged_once(&reconciler, &[&node_key, "REPLICA#far", "BLOB", "RECONCILE"]);

    // The file itself.
    world.delete_file(&files[0]).await;
    assert_eq!(world.item(&pk, &node_key).await, None);
    let blob = world.item(&files[0].partition(), "BLOB").await.unwrap();
    assert_eq!(blob["references"], 0);
    // Of one it cannot be told what goes with it.
    let row = world.upload_row(&files[1].upload).await;
    let node = row["node"].as_str().unwrap();
    break_item(&world, &pk, &format!("NODE#{node}"), "file").await;
    let (status, body, _) = ask(&world, "file-delete", Some(node)).await;
    assert_eq!((status, &body["code"]), (409, &json!("unreadable")));

    // And the account with all that it has.
    let closed = json!({ "deletion_started_at": "2020-01-01T00:00:00Z", "due_shard": "a0", "due_at": 1 });
    world.set_item(&pk, "ACCOUNT", &closed).await;
    for upload in files.iter().map(|file| &file.upload).chain([&uploads[1].upload]) {
        world.lose_item(&pk, &format!("UPLOAD#{upload}")).await;
    }
    let mut sweep = world.function("sweep", |_| Act::Pass).await;
    let report = sweep.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["closed"], &report["skipped"]),
        (&json!(1), &json!(2)),
        "{report}"
    );
    assert_eq!(world.sort_keys(&pk).await, [""; 0]);
    world.remove().await;
}
