//! Sweeps that run at the same time, and one that meets a target that is away.

use crate::harness::bytes::fresh;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::Sandbox;
use crate::harness::stack::stack;
use crate::harness::target_proxy::{Asked, Fate, Relay};
use crate::harness::wait::until;
use crate::harness::world::{Sent, World, schedule};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const EXPIRES: &str = "DynamoDB TransactWriteItems";

/// A sweep with the leases that all sweeps of this world have in common.
async fn with_shared_leases(world: &World, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Sandbox {
    let sandbox = world.function("sweep", rule).await;
    sandbox.proxy.on_send(|_| None);
    sandbox
}

/// A world with an upload whose time is over.
async fn with_expired() -> (World, Sent) {
    let mut world = World::new().await;
    // The first sweep writes down that there are no targets, in a transaction.
    world.set_targets(&[]).await;
    let sent = world.open("a", &fresh(100)).await;
    let over = json!({ "expires_at": "2020-01-01T00:00:00Z", "due_at": 1_577_836_800 });
    let sk = format!("UPLOAD#{}", sent.upload);
    world.set_item(&world.person.partition(), &sk, &over).await;
    (world, sent)
}

/// While one is at work, another one leaves its work alone.
#[tokio::test]
async fn two_sweeps_do_not_do_the_same_work() {
    let (world, sent) = with_expired().await;
    let late = |seen: &Seen| match seen.operation.as_str() {
        EXPIRES => Act::Late,
        _ => Act::Pass,
    };
    let mut first = with_shared_leases(&world, late).await;
    let mut second = with_shared_leases(&world, |_| Act::Pass).await;
    second.ready().await;
    let proxy = Arc::clone(&first.proxy);
    let meanwhile = async {
        until("the first is at work", async || {
            let seen = proxy.operations();
            seen.iter().any(|operation| operation == EXPIRES).then_some(())
        })
        .await;
        let report = second.invoke(&schedule()).await.unwrap();
        proxy.go();
        report
    };
    let event = schedule();
    let (report, other) = tokio::join!(first.invoke(&event), meanwhile);
    // The first may not have ended with the other classes, either.
    assert!(
        other["elsewhere"].as_u64() >= Some(1) && other["expired"] == 0,
        "{other}"
    );
    let about = [sent.upload.clone(), sent.blob.clone()];
    let touched = second
        .proxy
        .seen()
        .into_iter()
        .filter(|seen| seen.is_about(&about));
    assert_eq!(touched.collect::<Vec<_>>(), [], "the second has touched it");
    let report = report.unwrap();
    assert_eq!(report["elsewhere"], 0, "{report}");
    // Not what it counted: when the second took longer than the SDK waits for an answer, the first has asked twice.
    let upload = format!("UPLOAD#{}", sent.upload);
    let row = world.item(&world.person.partition(), &upload).await.unwrap();
    assert_eq!(row["state"], "expired", "{row}");
    // It released its leases.
    let report = second.invoke(&schedule()).await.unwrap();
    assert_eq!(report["elsewhere"], 0, "{report}");
    drop((first, second));
    world.remove().await;
}

/// What a sweep had for itself when it was killed is another one's within a minute.
#[tokio::test]
async fn a_killed_sweep_keeps_the_others_away_for_a_minute_at_most() {
    let (world, _) = with_expired().await;
    let kill = |seen: &Seen| match seen.operation.as_str() {
        EXPIRES => Act::KillBefore,
        _ => Act::Pass,
    };
    let mut killed = with_shared_leases(&world, kill).await;
    assert_eq!(killed.invoke(&schedule()).await, None, "killed");
    let lease = world.item("LEASE#transfers", "LEASE").await.unwrap();
    let in_a_minute = Timestamp::now().as_millisecond() + 60_000;
    assert!(lease["until"].as_i64().unwrap() <= in_a_minute, "{lease}");

    let mut sweep = with_shared_leases(&world, |_| Act::Pass).await;
    let report = sweep.invoke(&schedule()).await.unwrap();
    assert!(
        report["elsewhere"].as_u64() >= Some(1) && report["expired"] == 0,
        "{report}"
    );
    let over = json!({ "until": 1_577_836_800_000_u64 });
    world.set_item("LEASE#transfers", "LEASE", &over).await;
    let report = sweep.invoke(&schedule()).await.unwrap();
    assert_eq!(report["expired"], 1, "{report}");
    drop((killed, sweep));
    world.remove().await;
}

async fn make_due(world: &World, files: &[Sent]) {
    for file in files {
        world.make_due(&file.partition()).await;
    }
}

/// A target that does not do what it is asked for is asked once, however many blobs are looked at at the same time; and those
/// that have nothing there are reclaimed.
#[tokio::test]
async fn a_target_that_is_away_keeps_nobody_waiting() {
    const EACH: usize = 12;
    let mut world = World::new().await;
    let (near, mut far) = (world.new_target("near").await, world.new_target("far").await);
    let (away, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (is_away, counted) = (Arc::clone(&away), Arc::clone(&asked));
    let rule = move |request: &Asked| {
        if is_away.load(Ordering::Relaxed) == 0 || request.operation != "DeleteObject" {
            return Fate::Pass;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Fate::Refuse
    };
    let relay = Relay::start(&stack().url_of("s3"), rule).await;
    far["endpoint"] = json!(relay.endpoint);
    let mut files = Vec::new();
    for targets in [&[&near][..], &[&near, &far]] {
        world.set_targets(targets).await;
        for _ in 0..EACH {
            let name = format!("file {}", files.len());
            files.push(world.store(&name, &fresh(100)).await);
        }
    }
    world.work().await;
    assert_eq!(
        world.counters("far", "available").await,
        i64::try_from(EACH).unwrap()
    );
    for file in &files {
        world.delete_file(file).await;
    }
    make_due(&world, &files).await;
    let report = world.sweep().await;
    assert_eq!(report["marked"], 2 * EACH, "{report}");

    away.store(1, Ordering::Relaxed);
    make_due(&world, &files).await;
    let report: Value = world.sweep().await;
    assert_eq!(
        (&report["reclaimed"], &report["failed"]),
        (&json!(EACH), &json!(EACH)),
        "{report}"
    );
    // One request, and those that an SDK makes of it.
    let asked = asked.load(Ordering::Relaxed);
    assert!((1..=3).contains(&asked), "{asked}");
    for file in &files[..EACH] {
        assert_eq!(world.sort_keys(&file.partition()).await, [""; 0]);
        assert!(!world.has_object(&file.key()).await);
    }
    for (target, left) in [("near", EACH), ("far", EACH)] {
        assert_eq!(
            world.counters(target, "available").await,
            i64::try_from(left).unwrap(),
            "{target}"
        );
    }
    // They are postponed for a while, and then it is there again.
    let report = world.sweep().await;
    assert_eq!(
        (&report["reclaimed"], &report["failed"]),
        (&json!(0), &json!(0)),
        "{report}"
    );
    away.store(0, Ordering::Relaxed);
    make_due(&world, &files[EACH..]).await;
    let report = world.sweep().await;
    assert_eq!(report["reclaimed"], EACH, "{report}");
    for target in ["near", "far"] {
        assert_eq!(world.counters(target, "available").await, 0, "{target}");
        assert_eq!(world.counters(target, "available_bytes").await, 0, "{target}");
    }
    drop(relay);
    world.remove().await;
}
