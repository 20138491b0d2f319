//! Reconcilers that are killed, or get into each other's way.

use super::{MORE_ROWS_THAN_A_PAGE, MORE_THAN_A_PAGE};
use crate::harness::bytes::fresh;
use crate::harness::proxy::{Act, Seen};
use crate::harness::world::{World, new_key, schedule};
use serde_json::json;
use std::collections::BTreeSet;

/// Every invocation is killed: as soon as it has written something down, or in the middle of a page. The one after it goes
/// on, and the pass ends.
#[tokio::test]
async fn a_pass_goes_on_where_it_was_interrupted() {
    /// Fewer calls than the removals of one page take.
    const CALLS: usize = 60;
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;
    let lost = world.store("b", &fresh(1000)).await;
    world.lose_object(&lost.key()).await;
    let open = world.open("c", &fresh(1000)).await;
    for number in 0..MORE_THAN_A_PAGE {
        let foreign = format!("a/{number}");
        world.put_object(&foreign, b"foreign").await;
        world.begin_multipart(&foreign).await;
    }
    for _ in 0..40 {
        world.put_object(&new_key(), b"?").await;
        world.begin_multipart(&new_key()).await;
    }
    let fillers = (0..MORE_ROWS_THAN_A_PAGE).map(|n| json!({ "pk": format!("A#{n}"), "sk": "A" }));
    world.put_items(&fillers.collect::<Vec<_>>()).await;

    let (mut phases, mut begun, mut killed) = (Vec::new(), BTreeSet::new(), [0, 0]);
    loop {
        let rule = |seen: &Seen| match seen.operation.as_str() {
            "DynamoDB PutItem" | "DynamoDB TransactWriteItems" => Act::KillAfter,
            _ if seen.index == CALLS => Act::KillAfter,
            _ => Act::Pass,
        };
        let mut reconciler = world.reconciler(rule).await;
        assert_eq!(reconciler.invoke(&schedule()).await, None, "killed");
        killed[usize::from(reconciler.proxy.seen().len() >= CALLS)] += 1;
        assert!(killed[0] + killed[1] < 100, "it never ends");
        let Some(row) = world.item("RECONCILE", "RECONCILE").await else {
            continue;
        };
        let pass = &row["progress"]["under_way"];
        if pass.is_null() {
            begun.insert(row["progress"]["last"]["started_at"].to_string());
            break;
        }
        begun.insert(pass["started_at"].to_string());
        phases.push(pass["place"]["phase"].as_str().unwrap().to_owned());
    }
    println!("killed {killed:?}: {phases:?}");
    assert!(
        killed[0] > 5 && killed[1] > 1,
        "after its word, in the middle of a page: {killed:?}"
    );
    for phase in ["objects", "multiparts", "rows"] {
        assert!(phases.iter().any(|place| place == phase), "{phase}: {phases:?}");
    }
    assert_eq!(begun.len(), 1, "all of it is one pass: {begun:?}");
    let mut patient = world.function("reconcile", |_| Act::Pass).await;
    let report = patient.invoke(&schedule()).await.unwrap();
    assert_eq!(
        (&report["state"], &report["failed"]),
        (&json!("not_due"), &json!(0)),
        "{report}"
    );
    let mut keys = world.keys().await;
    keys.retain(|key| !key.starts_with("a/"));
    assert_eq!(keys, [file.key()]);
    assert_eq!(
        world.multiparts("blobs/").await,
        world.multiparts(&open.key()).await
    );
    assert_eq!(world.multiparts("a/").await.len(), MORE_THAN_A_PAGE);
    let row = world.item(&lost.partition(), "BLOB").await.unwrap();
    assert!(row["lost_since"].is_string(), "{row}");
    world.remove().await;
}

/// Stores do not take every multipart upload that is gone for a place to go on from.
#[tokio::test]
async fn a_pass_goes_on_after_a_multipart_upload_that_is_gone() {
    let world = World::new().await;
    let (key, orphan) = (new_key(), new_key());
    let gone = world.begin_multipart(&key).await;
    world.begin_multipart(&orphan).await;
    let path = format!("/{key}?uploadId={gone}");
    world.bucket("DELETE", &path, "").await.expect(204);
    world.go_on_after(&key, &gone).await;
    let report = world.reconcile().await;
    assert_eq!(report["started_at"], "2026-01-02T03:04:05Z", "the same pass");
    assert_eq!(
        (&report["multiparts_seen"], &report["multiparts_aborted"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    assert_eq!(world.multiparts("").await, [""; 0]);
    world.remove().await;
}

/// Two invocations at once do the same work twice, and get into each other's way, but nothing else.
#[tokio::test]
async fn two_reconcilers_at_once() {
    let mut world = World::new().await;
    let file = world.store("a", &fresh(1000)).await;
    let lost = world.store("b", &fresh(1000)).await;
    world.lose_object(&lost.key()).await;
    for _ in 0..MORE_THAN_A_PAGE {
        world.put_object(&new_key(), b"?").await;
    }
    let mut one = world.reconciler(|_| Act::Pass).await;
    let mut other = world.reconciler(|_| Act::Pass).await;
    let schedule = schedule();
    let (one, other) = tokio::join!(one.invoke(&schedule), other.invoke(&schedule));
    let (one, other) = (one.unwrap(), other.unwrap());
    println!("{one}\n{other}");
    for report in [one, other] {
        let state = report["state"].as_str();
        assert!(matches!(state, Some("ended" | "overtaken")), "{report}");
        assert_eq!(report["failed"], 0, "{report}");
    }
    // The run that was overtaken may have done what the other had not come to yet.
    world.reconcile().await;
    assert_eq!(world.keys().await, [file.key()]);
    let row = world.item(&lost.partition(), "BLOB").await.unwrap();
    assert!(row["lost_since"].is_string(), "{row}");
    world.remove().await;
}
