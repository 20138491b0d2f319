//! What the reconciler makes of replicas: those that their target lost, those at targets that came or went.

use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::stack::stack;
use crate::harness::target_proxy::{Fate, Relay};
use crate::harness::world::{Sent, World, schedule};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Longer ago than anything that began then could still be under way.
const LONG_AGO: i64 = 21;

/// A target has these bytes of a file, and the row and the counters say so.
async fn is_there(world: &World, target: &Value, files: &[(&Sent, &Bytes)]) {
    let name = target["name"].as_str().unwrap();
    let mut size = 0;
    for (sent, bytes) in files {
        let row = world.replica(sent, name).await.unwrap();
        assert_eq!(row["state"], "available", "{row}");
        for over in ["last_error", "multipart_id", "waiting_shard", "due_at"] {
            assert_eq!(row.get(over), None, "{row}");
        }
        assert_eq!(world.at(target, sent).await.as_ref(), Some(*bytes));
        size += i64::try_from(bytes.len()).unwrap();
    }
    let count = i64::try_from(files.len()).unwrap();
    for (number, wanted) in [
        ("pending", 0),
        ("failed", 0),
        ("available", count),
        ("available_bytes", size),
    ] {
        assert_eq!(world.counters(name, number).await, wanted, "{name}: {number}");
    }
}

/// What the reconciler counts about replicas: lost, added, removed.
async fn reconciled(world: &World) -> [u64; 3] {
    let report = world.reconcile().await;
    ["lost", "added", "removed"].map(|what| report[format!("replicas_{what}")].as_u64().unwrap())
}

#[tokio::test]
async fn a_replica_that_its_target_lost_is_copied_again() {
    let mut world = World::new().await;
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let (bytes, others) = (fresh(1000), fresh(1000));
    let gone = world.store("gone", &bytes).await;
    let spoiled = world.store("spoiled", &others).await;
    let whole = world.store("whole", &fresh(500)).await;
    world.work().await;
    let wanted = [(&gone, &bytes), (&spoiled, &others)];
    is_there(
        &world,
        &target,
        &[
            wanted[0],
            wanted[1],
            (&whole, &world.at(&target, &whole).await.unwrap()),
        ],
    )
    .await;
    world.lose_at(&target, &gone).await;
    world.replace_at(&target, &spoiled, &fresh(1000)).await;

    // The worker that copied them may still be running.
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    for sent in [&gone, &spoiled, &whole] {
        world.age_replica(sent, "a", LONG_AGO).await;
    }
    // A target that does not answer has not lost anything.
    let mut silent = target.clone();
    silent["endpoint"] = json!("http://127.0.0.1:9");
    world.write_targets(&json!({ "targets": [silent] })).await;
    let mut reconciler = world.reconciler(|_| Act::Pass).await;
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["replicas_seen"], &report["replicas_lost"]),
        (&json!(3), &json!(0)),
        "{report}"
    );
    assert_eq!(
        (&report["state"], &report["failed"]),
        (&json!("ended"), &json!(3)),
        "{report}"
    );
    assert_eq!(world.replica(&gone, "a").await.unwrap()["state"], "available");

    world.write_targets(&json!({ "targets": [target] })).await;
    assert_eq!(reconciled(&world).await, [2, 0, 0]);
    for (sent, reason) in [
        (&gone, "the target has lost the object"),
        (&spoiled, "the target has another object"),
    ] {
        let row = world.replica(sent, "a").await.unwrap();
        assert_eq!(
            (&row["state"], &row["bytes_done"]),
            (&json!("pending"), &json!(0)),
            "{row}"
        );
        assert!(row["last_error"].as_str().unwrap().starts_with(reason), "{row}");
        assert!(
            row["waiting_shard"].as_str().unwrap().starts_with("a#bytes#"),
            "{row}"
        );
        for over in ["available_at", "checksum"] {
            assert_eq!(row.get(over), None, "{row}");
        }
    }
    assert_eq!(
        (
            world.counters("a", "pending").await,
            world.counters("a", "available").await
        ),
        (2, 1)
    );
    // It has said so itself: nobody need send a message.
    world.work().await;
    is_there(
        &world,
        &target,
        &[
            wanted[0],
            wanted[1],
            (&whole, &world.at(&target, &whole).await.unwrap()),
        ],
    )
    .await;
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    world.remove().await;
}

/// One that does not answer gets no requests, until the next invocation only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_was_silent_is_asked_again() {
    /// More than are looked at at once.
    const FILES: u64 = 20;
    let silent = Arc::new(AtomicBool::new(false));
    let is_unreachable = Arc::clone(&silent);
    let rule = move |_: &_| {
        if is_unreachable.load(Ordering::SeqCst) {
            Fate::Reset
        } else {
            Fate::Pass
        }
    };
    let relay = Relay::start(&stack().url_of("s3"), rule).await;
    let mut world = World::new().await;
    let mut target = world.new_target("a").await;
    target["endpoint"] = json!(relay.endpoint);
    world.set_targets(&[&target]).await;
    let mut files = Vec::new();
    for number in 0..FILES {
        files.push(world.store(&number.to_string(), &fresh(10)).await);
    }
    world.work().await;
    for sent in &files {
        world.age_replica(sent, "a", LONG_AGO).await;
    }
    world.lose_at(&target, &files[0]).await;
    let mut reconciler = world.reconciler(|_| Act::Pass).await;
    silent.store(true, Ordering::SeqCst);
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["failed"], &report["replicas_lost"]),
        (&json!(FILES), &json!(0)),
        "{report}"
    );
    // Sixteen are asked about at once, and each three times at most.
    let asked = relay.faults() as u64;
    assert!((1..=16 * 3).contains(&asked), "asked {asked} times");
    silent.store(false, Ordering::SeqCst);
    let report = reconciler.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["failed"], &report["replicas_lost"]),
        (&json!(0), &json!(1)),
        "{report}"
    );
    world.remove().await;
}

/// What is there already gets to a target that is added, without anybody asking for it, in the pass that begins when all
/// functions know of it.
#[tokio::test]
async fn a_target_that_is_added_gets_what_is_there() {
    let mut world = World::new().await;
    let (bytes, others) = (fresh(1000), fresh(10));
    let first = world.store("a", &bytes).await;
    let second = world.store("b", &others).await;
    let mut patient = world.function("reconcile", |_| Act::Pass).await;
    let pass = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&pass["state"], &pass["replicas_seen"]),
        (&json!("ended"), &json!(0)),
        "{pass}"
    );
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let not_yet = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(not_yet["state"], "not_due", "{not_yet}");
    // The pass was before the change, and all functions know of the change by now.
    let began =
        json!({ "started_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T03:04:05Z", "counts": {} });
    world
        .set_item(
            "RECONCILE",
            "RECONCILE",
            &json!({ "progress": { "last": began } }),
        )
        .await;
    world.age_target_registry(3).await;
    let mut patient = world
        .function_with("reconcile", &[("RECONCILE_INTERVAL_HOURS", "1000000")])
        .await;
    let pass = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&pass["state"], &pass["replicas_added"]),
        (&json!("ended"), &json!(2)),
        "{pass}"
    );
    assert_eq!(
        (
            world.counters("a", "pending").await,
            world.counters("a", "pending_bytes").await
        ),
        (2, 1010)
    );
    world.work().await;
    is_there(&world, &target, &[(&first, &bytes), (&second, &others)]).await;
    let again = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(again["state"], "not_due", "{again}");
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    world.remove().await;
}

#[tokio::test]
async fn a_target_that_drains_is_emptied() {
    let mut world = World::new().await;
    let mut drained = world.new_target("drained").await;
    let kept = world.new_target("kept").await;
    world.set_targets(&[&drained, &kept]).await;
    let bytes = fresh(1000);
    let sent = world.store("a", &bytes).await;
    world.work().await;
    is_there(&world, &drained, &[(&sent, &bytes)]).await;
    // One more, which nobody has copied yet.
    let waiting = world.store("b", &fresh(10)).await;
    drained["draining"] = json!(true);
    world.set_targets(&[&drained, &kept]).await;
    let later = world.store("c", &fresh(20)).await;
    assert_eq!(world.replicas(&later).await, ["kept"], "nothing new gets there");
    world.work().await;
    assert_eq!(
        world.at(&drained, &waiting).await,
        None,
        "nor what was on its way"
    );
    // A worker that does not know yet may still be running.
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    assert_eq!(world.replicas(&sent).await, ["drained", "kept"]);
    world.age_target_registry(LONG_AGO).await;
    assert_eq!(reconciled(&world).await, [0, 0, 2]);
    for sent in [&sent, &waiting, &later] {
        assert_eq!(world.replicas(sent).await, ["kept"]);
        assert_eq!(world.at(&drained, sent).await, None);
        assert!(world.at(&kept, sent).await.is_some());
    }
    for number in [
        "pending",
        "pending_bytes",
        "failed",
        "available",
        "available_bytes",
    ] {
        assert_eq!(world.counters("drained", number).await, 0, "{number}");
    }
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    // Empty, it is forgotten when it is not in the secret any more.
    world.set_targets(&[&kept]).await;
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    let target_registry = world.item("TARGETS", "TARGETS").await.unwrap();
    assert_eq!(
        target_registry["members"].as_array().unwrap().len(),
        1,
        "{target_registry}"
    );
    world.remove().await;
}

/// Nobody can sign in there any more: what is written about it goes, what is there is its owner's.
#[tokio::test]
async fn a_target_that_is_gone_is_forgotten() {
    let mut world = World::new().await;
    let retired = world.new_target("retired").await;
    let kept = world.new_target("kept").await;
    world.set_targets(&[&retired, &kept]).await;
    let bytes = fresh(1000);
    let sent = world.store("a", &bytes).await;
    world.work().await;
    let waiting = world.store("b", &fresh(10)).await;
    world.set_targets(&[&kept]).await;
    let status = async || {
        let target_registry = world.item("TARGETS", "TARGETS").await.unwrap();
        let members = target_registry["members"].as_array().unwrap().clone();
        let member = members.iter().find(|member| member["name"] == "retired");
        member.map(|member| member["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(status().await.as_deref(), Some("retired"));
    // Its messages are of no use any more, and do not come again and again.
    world.work().await;
    assert_eq!(world.queues.waiting().await, 0);
    assert_eq!(world.queues.dead_letters().await, []);
    assert_eq!(reconciled(&world).await, [0, 0, 0]);
    world.age_target_registry(LONG_AGO).await;
    assert_eq!(reconciled(&world).await, [0, 0, 2]);
    for sent in [&sent, &waiting] {
        assert_eq!(world.replicas(sent).await, ["kept"]);
    }
    assert_eq!(
        world.at(&retired, &sent).await,
        Some(bytes),
        "what is there is left there"
    );
    assert_eq!(world.counters("retired", "available").await, 0);
    assert_eq!(status().await, None);
    world.remove().await;
}
