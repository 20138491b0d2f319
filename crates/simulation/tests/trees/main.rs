//! What many do to one tree at once, and what the sweep removes from the trash meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

mod counting;
mod versions;

use bytes::Bytes;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use simulation::audit::Audit;
use simulation::cloud::{Assumptions, Fault, Faults, Latency};
use simulation::gateway::{self, Response};
use simulation::lambda::Outcome;
use simulation::person::Person;
use simulation::world::{TABLE, World, run};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// An account in a world of its own.
fn with_ann<T>(seed: u64, live: impl AsyncFnOnce(&World, &Person<'_>) -> T) -> T {
    run(seed, async |world| {
        sweep(world).await;
        let ann = Person::sign_up(world, "ann").await.unwrap().patient();
        live(world, &ann).await
    })
}

async fn sweep(world: &World) -> Value {
    match world.invoke("sweep", json!({})).await {
        Outcome::Answered(report) => report,
        _ => panic!("the sweep did not end"),
    }
}

fn bytes() -> Bytes {
    Bytes::from_static(b"bytes")
}

async fn file(ann: &Person<'_>, name: &str, parent: &str) -> String {
    let stored = ann.store(name, Some(parent), &bytes(), false, "fail").await;
    stored.unwrap()
}

async fn trash(ann: &Person<'_>, node: &str) {
    let answer = ann.call("DELETE", &format!("/v1/files/{node}"), None).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

/// Sends a request once.
async fn once(
    world: &World,
    ann: &Person<'_>,
    method: &'static str,
    path: &str,
    body: Option<Value>,
) -> Response {
    gateway::send(&world.lambda, &ann.request(method, path, body)).await
}

/// Each would be within the next, and the last within the first. Where the table takes its time nobody waits for longer than the
/// gateway does.
#[test]
fn fifty_moves_at_once_on_a_slow_table_are_all_answered() {
    with_ann(1, async |world, ann| {
        let mut folders = Vec::new();
        for number in 0..50 {
            folders.push(ann.folder(&format!("f{number}"), None).await.unwrap());
        }
        world.cloud.set_latency(Latency::Assumed(Assumptions {
            dynamodb: Duration::from_millis(300),
            ..Assumptions::DOCUMENTED
        }));
        let moves = folders.iter().enumerate().map(async |(number, folder)| {
            let into = json!({ "parent": folders[(number + 1) % folders.len()] });
            once(world, ann, "PATCH", &format!("/v1/files/{folder}"), Some(into)).await
        });
        let answers = join_all(moves).await;
        let moved = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((1..50).contains(&moved), "{moved}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.status, 409, "{answer:?}");
            let code = answer.body["code"].as_str();
            assert!(
                ["changed_meanwhile", "within_itself"].map(Some).contains(&code),
                "{answer:?}"
            );
        }
        assert_eq!(Audit::of(world).check(), [""; 0]);
    });
}

/// One is moved out and another goes to the trash by itself, when the sweep that removes the folder has read what is in it.
#[test]
fn what_leaves_a_folder_is_not_removed_with_it() {
    with_ann(1, async |world, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        let mut files = Vec::new();
        for name in ["moved", "trashed", "stays"] {
            files.push(file(ann, name, &folder).await);
        }
        trash(ann, &folder).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(ann.remove(&folder).await.status, 204);
        let has_read = Arc::new(AtomicBool::new(false));
        let tries = Arc::clone(&has_read);
        world.cloud.set_faults(Faults::by(move |call| {
            let removes = call.function == "sweep" && call.operation == "DynamoDB TransactWriteItems";
            tries.fetch_or(removes, Ordering::Relaxed);
            (removes && call.attempt <= 2).then_some(Fault::Throttle)
        }));
        let leave = async {
            while !has_read.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(1)).await;
            }
            let out = ann
                .call(
                    "PATCH",
                    &format!("/v1/files/{}", files[0]),
                    Some(json!({ "parent": null })),
                )
                .await;
            assert_eq!(out.status, 200, "{out:?}");
            trash(ann, &files[1]).await;
        };
        let ((), _) = join(leave, sweep(world)).await;
        for (id, status) in files.iter().zip([200, 200, 404]) {
            let there = ann.call("GET", &format!("/v1/files/{id}"), None).await;
            assert_eq!(there.status, status, "{there:?}");
        }
        assert!(world.work_off_messages(100).await);
        assert_eq!(Audit::of(world).check(), [""; 0]);
    });
}

/// A folder is removed as far as it can be, however often the sweep has to try.
#[test]
fn what_cannot_be_read_keeps_nothing_else_in_the_trash() {
    with_ann(1, async |world, ann| {
        let top = ann.folder("top", None).await.unwrap();
        let mut broken = String::new();
        for name in ["a", "b", "c"] {
            let folder = ann.folder(name, Some(&top)).await.unwrap();
            let first = file(ann, "1", &folder).await;
            file(ann, "2", &folder).await;
            if name == "b" {
                for key in [format!("NODE#{first}"), format!("ENTRY#{folder}#1")] {
                    break_row(world, ann, &key);
                }
                broken = first;
            }
        }
        assert_eq!(ann.remove(&top).await.status, 204);
        for _ in 0..2 {
            sleep(Duration::from_mins(6)).await;
            assert_eq!(sweep(world).await["failed"], 1);
            let rows = of_kind(world, "NODE#");
            let (files, folders): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.get("file").is_some());
            let files: Vec<_> = files.iter().map(|row| &row["id"]).collect();
            assert_eq!((files, folders.len()), (vec![&json!(broken)], 2));
        }
    });
}

/// What a file refers to cannot be read from this row of its any more.
fn break_row(world: &World, ann: &Person<'_>, key: &str) {
    let pk = format!("ACCOUNT#{}", ann.id);
    world.dynamodb(
        "UpdateItem",
        &json!({
            "TableName": TABLE, "Key": { "pk": { "S": pk }, "sk": { "S": key } }, "UpdateExpression": "SET #file = :odd",
            "ExpressionAttributeNames": { "#file": "file" }, "ExpressionAttributeValues": { ":odd": { "S": "odd" } },
        }),
    );
}

fn of_kind(world: &World, prefix: &str) -> Vec<Value> {
    let is_kind = |row: &Value| row["sk"].as_str().is_some_and(|sk| sk.starts_with(prefix));
    world.rows().into_iter().filter(is_kind).collect()
}

/// An item of the trash whose file is gone, as a fault may leave it, does not stay due.
#[test]
fn a_row_of_the_trash_without_its_file_is_forgotten() {
    with_ann(1, async |world, ann| {
        let (folder, other) = (
            ann.folder("f", None).await.unwrap(),
            ann.folder("g", None).await.unwrap(),
        );
        let id = file(ann, "a", &folder).await;
        trash(ann, &id).await;
        let is_row = |sk: &Value| sk.as_str().is_some_and(|sk| sk.starts_with("TRASH#"));
        let item = world.items().into_iter().find(|item| is_row(&item["sk"]["S"]));
        assert_eq!(ann.remove(&id).await.status, 204);
        world.dynamodb("PutItem", &json!({ "TableName": TABLE, "Item": item.unwrap() }));
        assert_eq!(of_kind(world, "TRASH#").len(), 1);
        sleep(Duration::from_hours(31 * 24)).await;
        assert_eq!(sweep(world).await["failed"], 0);
        assert!(of_kind(world, "TRASH#").is_empty());
        let there = ann.call("GET", &format!("/v1/files/{other}"), None).await;
        assert_eq!(there.status, 200);
    });
}

/// A folder that is in the trash only because one above it is, takes nothing.
#[test]
fn nothing_comes_into_a_folder_deep_in_the_trash() {
    with_ann(1, async |_, ann| {
        let top = ann.folder("top", None).await.unwrap();
        let deep = ann.folder("deep", Some(&top)).await.unwrap();
        let other = ann.folder("other", None).await.unwrap();
        let (moved, restored) = (file(ann, "a", &other).await, file(ann, "b", &other).await);
        for node in [&top, &restored] {
            trash(ann, node).await;
        }
        for (method, path) in [
            ("PATCH", format!("/v1/files/{moved}")),
            ("POST", format!("/v1/files/{moved}/copy")),
            ("POST", format!("/v1/trash/{restored}/restore")),
        ] {
            let answer = ann.call(method, &path, Some(json!({ "parent": deep }))).await;
            assert_eq!(answer.body["code"], "parent_not_found", "{path}: {answer:?}");
        }
    });
}

/// What was answered once is answered again.
#[test]
fn what_came_back_or_is_going_can_be_asked_for_again() {
    with_ann(1, async |world, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        let id = file(ann, "a", &folder).await;
        trash(ann, &id).await;
        file(ann, "a", &folder).await;
        let path = format!("/v1/trash/{id}/restore");
        for _ in 0..2 {
            let answer = ann
                .call("POST", &path, Some(json!({ "on_conflict": "rename" })))
                .await;
            assert_eq!(
                (answer.status, &answer.body["name"]),
                (200, &json!("a (1)")),
                "{answer:?}"
            );
        }
        trash(ann, &folder).await;
        let path = format!("/v1/files/{folder}?permanently=true");
        let twice = join(
            once(world, ann, "DELETE", &path, None),
            once(world, ann, "DELETE", &path, None),
        );
        let (one, other) = twice.await;
        assert_eq!([one.status, other.status], [204, 204], "{one:?} {other:?}");
    });
}

#[test]
fn a_cursor_of_the_trash_is_where_a_page_ended() {
    with_ann(1, async |_, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        for name in ["a", "b", "c"] {
            let id = file(ann, name, &folder).await;
            trash(ann, &id).await;
        }
        let first = ann.call("GET", "/v1/trash?limit=2", None).await;
        let cursor = first.body["next_cursor"].as_str().unwrap().replace('#', "%23");
        let second = ann
            .call("GET", &format!("/v1/trash?limit=2&cursor={cursor}"), None)
            .await;
        assert_eq!(second.body["items"][0]["node"]["name"], "a", "{second:?}");
        let long = "9".repeat(1500);
        for wrong in ["a", "%23", "1%23a", "999999999999999999999%23a", &long] {
            let answer = ann.call("GET", &format!("/v1/trash?cursor={wrong}"), None).await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (400, &json!("invalid_request")),
                "{answer:?}"
            );
        }
    });
}

/// Everything that is there all the time is listed once, in the order of names, whatever comes and goes meanwhile.
#[test]
fn a_folder_of_100_000_is_listed_while_others_change_it() {
    const MANY: usize = 100_000;
    with_ann(1, async |world, ann| {
        let folder = ann.folder("f", None).await.unwrap();
        file(ann, "template", &folder).await;
        let items = world.items();
        let template = items
            .iter()
            .find(|item| item["name"]["S"] == "template" && item.get("node").is_some());
        let numbers: Vec<usize> = (0..MANY).collect();
        for some in numbers.chunks(25) {
            let entry = |number: &usize| {
                let (mut entry, name) = (template.unwrap().clone(), format!("{number:06}"));
                entry["sk"]["S"] = json!(format!("ENTRY#{folder}#{name}"));
                entry["name"]["S"] = json!(name);
                entry["node"]["S"] = json!(format!("n{name}"));
                json!({ "PutRequest": { "Item": entry } })
            };
            let puts: Vec<_> = some.iter().map(entry).collect();
            world.dynamodb("BatchWriteItem", &json!({ "RequestItems": { TABLE: puts } }));
        }
        let list = async {
            let (mut names, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let path = format!("/v1/files?parent={folder}&limit=1000{cursor}");
                let page = once(world, ann, "GET", &path, None).await;
                let items = page.body["items"].as_array().unwrap();
                names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
                pages += 1;
                match page.body["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return (names, pages),
                }
            }
        };
        let change = async {
            for number in 0..40 {
                let id = file(ann, &format!("{:06}b", number * 2500), &folder).await;
                sleep(Duration::from_millis(50)).await;
                if number % 2 == 0 {
                    trash(ann, &id).await;
                }
            }
        };
        let ((names, pages), ()) = join(list, change).await;
        assert!(names.is_sorted_by(|one, next| one < next));
        let expected = numbers.iter().map(|number| format!("{number:06}"));
        let still: Vec<_> = names.into_iter().filter(|name| name.len() == 6).collect();
        assert!(still.iter().eq(&expected.collect::<Vec<_>>()), "{}", still.len());
        assert!((100..=102).contains(&pages), "{pages}");
    });
}
