//! A targets secret that is invalid: nothing fails for it, and the log names the field.

use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::world::{World, schedule};
use serde_json::{Value, json};

#[tokio::test]
async fn nothing_fails_while_the_secret_is_invalid() {
    let mut world = World::new().await;
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let bytes = fresh(100);
    let mut broken = target.clone();
    broken["endpoint"] = json!("nowhere at all");
    broken["secret_access_key"] = json!("do not tell anybody");
    for (document, field) in [
        (json!({ "targets": [broken] }), "targets[0].endpoint"),
        (json!({ "targets": [{ "name": "a" }] }), "targets[0]"),
        (json!("do not tell anybody"), "the document"),
    ] {
        world.write_targets(&document).await;
        let sent = world
            .store(&format!("in spite of {field}"), &bytes_of(&bytes, field))
            .await;
        let mut worker = world.function("replicate", |_| Act::Pass).await;
        // It is done with, and another one comes later.
        assert_eq!(world.queues.hand_over(&mut worker).await, 1, "{field}");
        assert_eq!(world.queues.waiting().await, 1, "{field}");
        assert_eq!(world.queues.hand_over(&mut worker).await, 0, "{field}: it waits");
        let row = world.replica(&sent, "a").await.unwrap();
        assert_eq!(
            (&row["state"], &row["attempts"]),
            (&json!("pending"), &json!(0)),
            "{row}"
        );
        tells(&worker.log(), field);

        // The sweep says so, and does everything else all the same.
        let mut sweep = world.function("sweep", |_| Act::Pass).await;
        let report = sweep.invoke(&schedule()).await.unwrap();
        assert_eq!(report["failed"], 1, "{field}: {report}");
        tells(&sweep.log(), field);
        let target_registry = world.item("TARGETS", "TARGETS").await.unwrap();
        assert_eq!(
            target_registry["members"][0]["status"], "active",
            "{field}: nothing is taken for gone"
        );

        world.set_targets(&[&target]).await;
        world.queues.forget().await;
        world.queues.start(&sent.blob, "a").await;
        world.work().await;
        let row = world.replica(&sent, "a").await.unwrap();
        assert_eq!(row["state"], "available", "{field}: {row}");
    }
    assert_eq!(world.queues.dead_letters().await, []);
    world.remove().await;
}

/// A function that knows a target from the registry may send messages for it at once. They are not for an
/// unknown target because a worker read the secret just before.
#[tokio::test]
async fn a_target_that_was_just_added_is_known() {
    let mut world = World::new().await;
    let (old, new) = (world.new_target("old").await, world.new_target("new").await);
    world.set_targets(&[&old, &new]).await;
    let sent = world.store("a", &fresh(100)).await;
    world.queues.forget().await;
    let mut worker = world.function("replicate", |_| Act::Pass).await;
    world.write_targets(&json!({ "targets": [old] })).await;
    world.queues.start(&sent.blob, "old").await;
    assert_eq!(world.queues.hand_over(&mut worker).await, 1);

    world.write_targets(&json!({ "targets": [old, new] })).await;
    world.queues.start(&sent.blob, "new").await;
    assert_eq!(world.queues.hand_over(&mut worker).await, 1);
    for name in ["old", "new"] {
        let row = world.replica(&sent, name).await.unwrap();
        assert_eq!(row["state"], "available", "{row}");
    }
    world.remove().await;
}

fn bytes_of(bytes: &[u8], field: &str) -> Vec<u8> {
    [bytes, field.as_bytes()].concat()
}

/// The log names the field as an error, and no value.
fn tells(log: &str, field: &str) {
    let errors = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut errors = errors.filter(|line| line["level"] == "ERROR");
    assert!(
        errors.any(|line| line.to_string().contains(field)),
        "{field}: {log}"
    );
    assert!(
        !log.contains("do not tell anybody") && !log.contains("nowhere at all"),
        "{log}"
    );
}
