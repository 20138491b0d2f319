//! How many bytes are in the trash, whatever comes and goes.

use crate::{file, sweep, trash, with_ann};
use futures::future::{join, join3};
use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::cloud::{Assumptions, Fault, Faults, Latency};
use simulation::person::Person;
use simulation::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// How many bytes each file has.
const SIZE: u64 = 5;
/// How many worlds a race is lived in.
const WORLDS: u64 = 12;

async fn used(ann: &Person<'_>) -> Value {
    let account = ann.call("GET", "/v1/account", None).await.body;
    let kinds = account["used"].as_object().unwrap().values();
    let sum: u64 = kinds.map(|bytes| bytes.as_u64().unwrap()).sum();
    assert_eq!(account["used_bytes"], sum, "{account}");
    account["used"].clone()
}

/// So many files are in the trash and so many others are not.
async fn files_are(world: &World, ann: &Person<'_>, in_trash: u64, others: u64) {
    let expected =
        json!({ "files": others * SIZE, "versions": 0, "trash": in_trash * SIZE, "open_uploads": 0 });
    assert_eq!(used(ann).await, expected);
    assert!(world.work_off_messages(1000).await);
    assert_eq!(Audit::of(world).check(), [""; 0]);
}

async fn restore(ann: &Person<'_>, node: &str) {
    let path = format!("/v1/trash/{node}/restore");
    let answer = ann.call("POST", &path, None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn swept(world: &World) -> Value {
    sleep(Duration::from_mins(2)).await;
    sweep(world).await
}

/// A folder with two files and a folder with a third.
async fn full(ann: &Person<'_>) -> String {
    let top = ann.folder("top", None).await.unwrap();
    let inner = ann.folder("inner", Some(&top)).await.unwrap();
    for (name, folder) in [("a", &top), ("b", &top), ("c", &inner)] {
        file(ann, name, folder).await;
    }
    // Before it goes to the trash, for as long as clocks may differ.
    sleep(Duration::from_secs(1)).await;
    top
}

/// What the trash says of its newest thing: bytes and files.
async fn listed(ann: &Person<'_>) -> (Value, Value) {
    let listed = ann.call("GET", "/v1/trash", None).await.body;
    let newest = &listed["items"][0];
    (newest["bytes"].clone(), newest["files"].clone())
}

#[test]
fn a_folder_is_counted_by_the_sweep_each_time_that_it_comes_into_the_trash() {
    with_ann(1, async |world, ann| {
        let top = full(ann).await;
        files_are(world, ann, 0, 3).await;
        for _ in 0..2 {
            trash(ann, &top).await;
            assert_eq!(listed(ann).await, (json!(null), json!(null)));
            files_are(world, ann, 0, 3).await;
            assert_eq!(swept(world).await["counted"], 1);
            assert_eq!(listed(ann).await, (json!(3 * SIZE), json!(3)));
            files_are(world, ann, 3, 0).await;
            assert_eq!(swept(world).await["counted"], 0);
            restore(ann, &top).await;
            files_are(world, ann, 0, 3).await;
        }
        // A file has its size there from the start, in a folder that is not counted, too.
        let path = format!("/v1/files?parent={top}");
        let inside = ann.call("GET", &path, None).await.body;
        let one = inside["items"][0]["id"].as_str().unwrap().to_owned();
        trash(ann, &one).await;
        assert_eq!(listed(ann).await, (json!(SIZE), json!(1)));
        files_are(world, ann, 1, 2).await;
        trash(ann, &top).await;
        swept(world).await;
        files_are(world, ann, 3, 0).await;
        assert_eq!(ann.remove(&top).await.status, 204);
        swept(world).await;
        files_are(world, ann, 1, 0).await;
        assert_eq!(ann.call("DELETE", "/v1/trash", None).await.status, 204);
        swept(world).await;
        files_are(world, ann, 0, 0).await;
    });
}

#[test]
fn what_comes_and_goes_together_is_counted_once() {
    const MANY: usize = 40;
    with_ann(1, async |world, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        let mut items = Vec::new();
        for number in 0..MANY {
            items.push(json!({ "id": file(ann, &number.to_string(), &folder).await }));
        }
        let batch = async |body: Value| {
            let answer = ann.call("POST", "/v1/files/batch", Some(body)).await;
            let results = answer.body["results"].as_array().unwrap();
            let done = results.iter().filter(|result| result["problem"].is_null());
            assert_eq!(done.count(), results.len(), "{answer:?}");
        };
        batch(json!({ "op": "trash", "items": items })).await;
        files_are(world, ann, 40, 0).await;
        batch(json!({ "op": "restore", "items": items[..35] })).await;
        files_are(world, ann, 5, 35).await;
        batch(json!({ "op": "delete", "items": items[10..] })).await;
        files_are(world, ann, 0, 10).await;
    });
}

/// One comes back from the trash in the place of another, which goes there in the same transaction.
#[test]
fn a_file_that_is_restored_in_the_place_of_another() {
    with_ann(1, async |world, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        let first = file(ann, "a", &folder).await;
        trash(ann, &first).await;
        let larger = bytes::Bytes::from_static(b"other bytes");
        let second = ann
            .store("a", Some(&folder), &larger, false, "fail")
            .await
            .unwrap();
        let path = format!("/v1/trash/{first}/restore");
        let replace = Some(json!({ "on_conflict": "replace" }));
        let answer = ann.call("POST", &path, replace).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(world.work_off_messages(100).await);
        assert_eq!(used(ann).await["trash"], larger.len());
        assert_eq!(Audit::of(world).check(), [""; 0]);
        assert_eq!(ann.remove(&second).await.status, 204);
        files_are(world, ann, 0, 1).await;
    });
}

/// The sweep counts what somebody restores, removes, or takes a file out of, at the same time.
#[test]
fn what_is_counted_while_it_comes_back_or_is_removed() {
    for seed in 0..WORLDS {
        with_ann(seed, async |world, ann| {
            let top = full(ann).await;
            trash(ann, &top).await;
            sleep(Duration::from_mins(1)).await;
            world.cloud.set_latency(Latency::Uneven(300));
            let leave = async {
                sleep(Duration::from_millis(seed * 40)).await;
                match seed % 3 {
                    0 => restore(ann, &top).await,
                    1 => assert_eq!(ann.remove(&top).await.status, 204),
                    _ => assert_eq!(ann.call("DELETE", "/v1/trash", None).await.status, 204),
                }
            };
            join3(sweep(world), leave, sweep(world)).await;
            world.cloud.set_latency(Latency::Random);
            for _ in 0..3 {
                sleep(Duration::from_mins(6)).await;
                sweep(world).await;
            }
            files_are(world, ann, 0, if seed % 3 == 0 { 3 } else { 0 }).await;
        });
    }
}

/// That a folder was counted meanwhile is no reason to look for another name.
#[test]
fn a_folder_that_is_counted_while_it_comes_back_gets_the_first_number() {
    for seed in 0..WORLDS {
        with_ann(seed, async |world, ann| {
            let top = full(ann).await;
            trash(ann, &top).await;
            ann.folder("top", None).await.unwrap();
            sleep(Duration::from_mins(1)).await;
            // The write with another name is tried again, and again, while the sweep counts.
            let is_late = Arc::new(AtomicBool::new(false));
            let (comes_late, mut first) = (Arc::clone(&is_late), None);
            world.cloud.set_faults(Faults::by(move |call| {
                let writes =
                    call.function == "trash-restore" && call.operation == "DynamoDB TransactWriteItems";
                let is_second = writes && *first.get_or_insert(call.site) < call.site;
                comes_late.fetch_or(is_second, Ordering::Relaxed);
                (is_second && call.attempt <= 2).then_some(Fault::Throttle)
            }));
            let count = async {
                while !is_late.load(Ordering::Relaxed) {
                    sleep(Duration::from_millis(1)).await;
                }
                sweep(world).await
            };
            let path = format!("/v1/trash/{top}/restore");
            let rename = Some(json!({ "on_conflict": "rename" }));
            let (_, answer) = join(count, ann.call("POST", &path, rename)).await;
            world.cloud.set_faults(Faults::none());
            assert_eq!(
                (answer.status, &answer.body["name"]),
                (200, &json!("top (1)")),
                "{answer:?}"
            );
        });
    }
}

/// Another sweep goes on where one has no time left.
#[test]
fn a_folder_that_no_sweep_can_count_at_once() {
    const FOLDERS: u64 = 60;
    with_ann(1, async |world, ann| {
        let top = ann.folder("top", None).await.unwrap();
        for number in 0..FOLDERS {
            let inner = ann.folder(&format!("{number}"), Some(&top)).await.unwrap();
            file(ann, "a", &inner).await;
        }
        assert!(world.work_off_messages(1000).await);
        sleep(Duration::from_secs(1)).await;
        trash(ann, &top).await;
        world.cloud.set_latency(Latency::Assumed(Assumptions {
            dynamodb: Duration::from_millis(500),
            ..Assumptions::DOCUMENTED
        }));
        let mut sweeps = 0;
        while listed(ann).await.0.is_null() {
            sleep(Duration::from_mins(2)).await;
            sweep(world).await;
            sweeps += 1;
        }
        assert!((2..5).contains(&sweeps), "{sweeps}");
        world.cloud.set_latency(Latency::Random);
        assert_eq!(listed(ann).await, (json!(FOLDERS * SIZE), json!(FOLDERS)));
        files_are(world, ann, FOLDERS, 0).await;
    });
}

/// An upload that is not complete counts with its whole size.
#[test]
fn open_uploads_are_a_kind_of_their_own() {
    with_ann(1, async |_, ann| {
        let bytes = bytes::Bytes::from_static(b"some bytes");
        let begun = ann.begin("a", None, &bytes, false, "fail").await;
        let (open, again) = join(used(ann), used(ann)).await;
        let expected = json!({ "files": 0, "versions": 0, "trash": 0, "open_uploads": bytes.len() });
        assert_eq!((&open, &again), (&expected, &expected));
        let path = format!("/v1/uploads/{}", begun.body["id"].as_str().unwrap());
        assert_eq!(ann.call("DELETE", &path, None).await.status, 204);
        assert_eq!(used(ann).await["open_uploads"], 0);
    });
}
