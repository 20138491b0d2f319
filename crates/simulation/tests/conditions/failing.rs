//! Late writes where a target fails.

use crate::scene::{COPIES, STARTS, Scene, lived, two_parts};
use bytes::Bytes;
use futures::future::join;
use serde_json::{Value, json};
use simulation::S3;
use simulation::cloud::{Call, Fault, Faults};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// How many files have more messages than a worker gets at once.
const MANY: u8 = 6;
const NEAR: &str = "near.simulation";

fn one_byte() -> Bytes {
    Bytes::from_static(b"x")
}

/// The target has no bucket from now on: nothing helps until it has one again. Returns what it was.
fn broken(scene: &Scene<'_>) -> S3 {
    let mut services = scene.world.cloud.services();
    let near = services.targets.get_mut(NEAR).expect("a target");
    let nothing = near.anew();
    std::mem::replace(near, nothing)
}

fn mended(scene: &Scene<'_>, right: S3) {
    let mut services = scene.world.cloud.services();
    services.targets.insert(NEAR.to_owned(), right);
}

async fn become_operator(scene: &Scene<'_>) {
    let event = json!({ "username": "ann", "role": "operator" });
    scene.invoke("account-set-role", event).await;
}

/// An operator has what has failed tried again.
async fn redrive(scene: &Scene<'_>) {
    // Dead letters that were taken out come again, and the circuit is not open any more.
    sleep(Duration::from_mins(1)).await;
    scene.ann.sign_in().await.expect("a session");
    let request = scene.ann.request("POST", "/v1/targets/near/redrive", None);
    scene.send(&request).await;
}

/// The row of a target's or a blob's with this sort key that fits.
fn row(scene: &Scene<'_>, sk: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let mut rows = scene.world.rows().into_iter();
    rows.find(|row| row["sk"] == sk && fits(row))
}

async fn tried_again(
    scene: &Scene<'_>,
    content: &Bytes,
    before: Option<&str>,
    queue: &str,
) -> Option<String> {
    become_operator(scene).await;
    scene.store("a", content).await;
    if let Some(queue) = before {
        scene.batch(queue).await;
    }
    let right = broken(scene);
    scene.batch(queue).await;
    mended(scene, right);
    scene.hold();
    redrive(scene).await;
    redrive(scene).await;
    scene.messages().await;
    scene.let_go().await;
    scene.settled().await
}

/// Another operator has had it tried again, and it is there.
pub(crate) fn a_replica_that_is_tried_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        tried_again(scene, &one_byte(), None, STARTS).await
    })
}

/// The same of one of which a part was copied.
pub(crate) fn a_part_that_is_tried_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        tried_again(scene, &two_parts(), Some(STARTS), COPIES).await
    })
}

/// A message that comes twice has a segment copied for what was given up, and is overtaken by an operator.
pub(crate) fn a_segment_of_what_was_given_up(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        become_operator(scene).await;
        scene.store("a", &two_parts()).await;
        scene.batch(STARTS).await;
        let now = scene.world.cloud.now();
        {
            let sqs = &mut scene.world.cloud.services().sqs;
            let messages = sqs.messages(COPIES).expect("a queue");
            let ids: Vec<String> = messages.map(|message| message.id.clone()).collect();
            for id in ids {
                let later = now + Duration::from_mins(2);
                assert!(sqs.duplicate(COPIES, &id, later).expect("a queue"));
            }
        }
        let right = broken(scene);
        scene.batch(COPIES).await;
        mended(scene, right);
        scene.hold();
        scene.batch(COPIES).await;
        redrive(scene).await;
        scene.messages().await;
        scene.let_go().await;
        let wrong = scene.settled().await;
        wrong.or_else(|| crate::replicas::miscounted(scene.world))
    })
}

/// An attempt has failed, and the next has succeeded.
pub(crate) fn a_failure_of_what_is_there(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &one_byte()).await;
        let refuse = |call: &Call| {
            let is_put = call.operation == "S3 PutObject" && call.to.starts_with(NEAR);
            is_put.then_some(Fault::Refuse)
        };
        scene.world.cloud.set_faults(Faults::by(refuse));
        scene.hold();
        scene.batch(STARTS).await;
        scene.world.cloud.set_faults(Faults::none());
        scene.messages().await;
        scene.let_go().await;
        let fails = |row: &Value| row["state"] == "available" && !row["last_error"].is_null();
        let fails = row(scene, "REPLICA#near", fails).map(|row| format!("it is there, and failed: {row}"));
        fails.or(scene.settled().await)
    })
}

/// There is a dead letter of what is there.
pub(crate) fn a_dead_letter_of_what_is_there(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.store("a", &one_byte()).await;
        let right = broken(scene);
        scene.hold();
        scene.batch(STARTS).await;
        mended(scene, right);
        sleep(Duration::from_mins(1)).await;
        scene.messages().await;
        scene.let_go().await;
        let is_marked = |row: &Value| row["state"] == "available" && row["dead_lettered"] == true;
        row(scene, "REPLICA#near", is_marked)
            .map(|row| format!("the next time that it fails it has no dead letter: {row}"))
    })
}

/// A blob goes while it is written down that its replica waits without a message, or has one again.
pub(crate) fn a_replica_without_a_message(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        become_operator(scene).await;
        scene.store("a", &one_byte()).await;
        let right = broken(scene);
        scene.batch(STARTS).await;
        let file = scene.store("b", &Bytes::from_static(b"y")).await;
        scene.hold();
        scene.batch(STARTS).await;
        mended(scene, right);
        redrive(scene).await;
        scene.messages().await;
        for _ in 0..3 {
            scene.sweep_after(Duration::from_mins(1)).await;
            scene.messages().await;
        }
        scene.reclaim(&file).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// The sweep need not look at what has failed, and by now it is gone.
pub(crate) fn a_failed_replica_that_is_due(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        become_operator(scene).await;
        let file = scene.store("a", &one_byte()).await;
        let before = row(scene, "REPLICA#near", |_| true).expect("a replica");
        let right = broken(scene);
        scene.batch(STARTS).await;
        // As an older version might have left it.
        let due =
            json!({ ":shard": { "S": before["due_shard"] }, ":at": { "N": before["due_at"].to_string() } });
        let set = "SET due_shard = :shard, due_at = :at";
        let update = json!({ "UpdateExpression": set, "ExpressionAttributeValues": due });
        scene.change(&before, update);
        scene.hold();
        scene.sweep_after(Duration::from_mins(21)).await;
        mended(scene, right);
        redrive(scene).await;
        scene.messages().await;
        scene.reclaim(&file).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A blob could not be reclaimed and is to be looked at again, and by now it is gone.
pub(crate) fn a_blob_that_is_put_off(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &one_byte()).await;
        scene.messages().await;
        scene.delete(&file).await;
        scene.sweep_after(Duration::from_hours(25)).await;
        let right = broken(scene);
        scene.hold();
        scene.sweep_after(Duration::from_mins(25)).await;
        mended(scene, right);
        scene.sweep_after(Duration::from_mins(5)).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A target has failed, and works again.
pub(crate) fn a_circuit_that_is_opened(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        become_operator(scene).await;
        scene.store("a", &one_byte()).await;
        scene.hold();
        for name in ["b", "c"] {
            let right = broken(scene);
            scene.batch(STARTS).await;
            if row(scene, "CIRCUIT", |_| true).is_none() {
                // That one was killed.
                scene.batch(STARTS).await;
            }
            mended(scene, right);
            redrive(scene).await;
            scene.messages().await;
            sleep(Duration::from_mins(2)).await;
            scene.store(name, &Bytes::from(name)).await;
        }
        scene.messages().await;
        scene.let_go().await;
        let is_open = |row: &Value| !row["open_until"].is_null();
        let open = row(scene, "CIRCUIT", is_open);
        let open = open.map(|row| format!("a target that works is left alone: {row}"));
        open.or(scene.settled().await)
    })
}

/// A target with one place has one worker at a time.
pub(crate) fn workers_at_once(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        limit_workers(scene);
        // They need not look at the place at the same moment.
        for round in 0..4 {
            // More than one batch.
            for number in 0..MANY {
                let bytes = Bytes::from(vec![round, number]);
                scene.store(&format!("file-{round}-{number}"), &bytes).await;
            }
            let before = scene.world.cloud.calls().len();
            join(scene.world.work_on_messages(), scene.world.work_on_messages()).await;
            let mut calls = scene.world.cloud.calls().split_off(before);
            calls.retain(|call| call.to.starts_with(NEAR));
            let workers: BTreeSet<u64> = calls.iter().map(|call| call.invocation).collect();
            if workers.len() > 1 {
                return Some(format!("{} workers at once", workers.len()));
            }
            scene.messages().await;
        }
        None
    })
}

/// A worker gives a place back that another one has by now.
pub(crate) fn a_place_that_another_has(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        limit_workers(scene);
        scene.store("a", &one_byte()).await;
        scene.hold();
        scene.batch(STARTS).await;
        // Until the place is free.
        sleep(Duration::from_mins(1)).await;
        scene.messages().await;
        scene.store("b", &Bytes::from_static(b"y")).await;
        let late = |call: &Call| {
            let is_put = call.operation == "S3 PutObject";
            (is_put && call.to.starts_with(NEAR)).then_some(Fault::Late)
        };
        scene.world.cloud.set_faults(Faults::by(late));
        let overtaken = async {
            let place = |is_free: bool| {
                row(scene, "SLOT#000", |row| {
                    row["target"] == "near" && row["holder"].is_null() == is_free
                })
            };
            while place(false).is_none() {
                sleep(Duration::from_millis(1)).await;
            }
            scene.let_go().await;
            let free = place(true);
            free.map(|row| format!("a worker has this place: {row}"))
        };
        join(scene.batch(STARTS), overtaken).await.1
    })
}

fn limit_workers(scene: &Scene<'_>) {
    scene.world.max_workers.set(Some(1));
    scene.world.set_targets(&["near"], &[]);
    scene.world.lambda.forget_instances();
}
