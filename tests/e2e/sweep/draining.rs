//! Many deletes at once, and how many a second are reclaimed.

use crate::harness::bytes::unique;
use crate::harness::stack::stack;
use crate::harness::world::{World, schedule};
use domain::content::{ContentId, PartDigest};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// More than are deleted together. `LONGSHORE_DELETES=2000` measures (docs/benchmarks.md).
const DELETES: usize = 150;
const BYTES: &[u8] = b"bytes";

fn partition(blob: &str) -> String {
    format!("BLOB#{blob}")
}

/// Everything that is written about a small blob whose only file was deleted a day ago, with its object and the one at a
/// target.
async fn deleted(world: &World, target: &Value, number: usize) -> String {
    let blob = format!("{:032x}", unique());
    let digest = PartDigest::of(blob.as_bytes());
    let content = ContentId::of_parts(&[digest]).unwrap();
    let (pk, at) = (partition(&blob), "2026-01-02T03:04:05Z");
    let rows = [
        json!({ "pk": format!("CONTENT#{content}"), "sk": "CONTENT", "content_id": content, "blob": blob }),
        json!({
            "pk": pk, "sk": "BLOB", "id": blob, "content_id": content, "size": BYTES.len(), "references": 0,
            "reclaiming": false, "created_at": at, "due_shard": format!("b{}", number % 4), "due_at": 1_577_836_800,
        }),
        json!({ "pk": pk, "sk": "UPLOAD", "blob": blob, "account": "a", "upload": blob }),
        json!({ "pk": pk, "sk": "DIGESTS#0000", "blob": blob, "page": 0, "digests": [digest] }),
        json!({
            "pk": pk, "sk": "REPLICA#t", "blob": blob, "target": "t", "kind": "ceph", "size": BYTES.len(),
            "state": "available", "bytes_done": BYTES.len(), "key": blob, "checksum": "sum", "since": at,
            "available_at": at, "updated_at": at,
        }),
    ];
    for row in &rows {
        world.put_item(row).await;
    }
    world.put_object(&format!("blobs/{blob}"), BYTES).await;
    world.put_at(target, &blob, BYTES).await;
    blob
}

/// A sweep that has time enough, without anything between it and the stack. Returns its report, and how long it took.
async fn sweep(world: &World) -> (Value, Duration) {
    let endpoint = stack().endpoint.clone();
    let direct = [("AWS_ENDPOINT_URL", endpoint.as_str())];
    let mut sweep = world.function_with("sweep", &direct).await;
    sweep.set_time(Duration::from_mins(5));
    sweep.ready().await;
    let began = Instant::now();
    let report = sweep.invoke(&schedule()).await.unwrap();
    (report, began.elapsed())
}

/// Each blob is marked, and then gone with all that it had, and the counters of its target say so.
#[tokio::test]
async fn many_deletes_are_reclaimed_together() {
    let count = std::env::var("LONGSHORE_DELETES").map_or(DELETES, |text| text.parse().unwrap());
    let mut world = World::new().await;
    let target = world.new_target("t").await;
    world.set_targets(&[&target]).await;
    let blobs: Vec<String> = stream::iter(0..count)
        .map(|number| deleted(&world, &target, number))
        .buffer_unordered(8)
        .collect()
        .await;
    world
        .put_item(&json!({
            "pk": "TARGET#t#00", "sk": "COUNTERS", "available": count, "available_bytes": count * BYTES.len(),
        }))
        .await;
    let rate = |what: &str, took: Duration| {
        let rate = f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64();
        println!(
            "{count} {what} in {:.1} s, {rate:.0} a second",
            took.as_secs_f64()
        );
    };

    let (report, took) = sweep(&world).await;
    assert_eq!(
        (&report["marked"], &report["failed"]),
        (&json!(count), &json!(0)),
        "{report}"
    );
    rate("marked", took);
    for blob in &blobs {
        world.make_due(&partition(blob)).await;
    }
    let (report, took) = sweep(&world).await;
    assert_eq!(
        (&report["reclaimed"], &report["failed"]),
        (&json!(count), &json!(0)),
        "{report}"
    );
    rate("reclaimed", took);

    assert_eq!(world.keys().await, [""; 0], "objects are left");
    for number in ["available", "available_bytes"] {
        assert_eq!(world.counters("t", number).await, 0, "{number}");
    }
    for blob in blobs.iter().take(20) {
        assert_eq!(world.sort_keys(&partition(blob)).await, [""; 0]);
    }
    world.remove().await;
}
