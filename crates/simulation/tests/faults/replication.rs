//! `replicate`, `target-redrive`.

use crate::cast::{Cast, ask, bytes, file_of};
use crate::runner::{Act, Case};
use crate::settling::{SWEEP, settle};
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::S3;
use simulation::events::consume_batch;
use simulation::person::{PART, Person};
use simulation::world::World;
use std::time::Duration;
use tokio::time::sleep;

/// The messages of a queue, as many as are one batch.
fn messages(queue: &'static str) -> Act {
    Act::Messages(queue)
}

async fn worked_on(world: &World, queue: &str) {
    let source = world.sources().iter().find(|source| source.queue == queue);
    let source = source.expect("a worker");
    let worked = consume_batch(&world.cloud, &world.lambda, "replicate", source).await;
    assert!(worked.is_some(), "{queue} is empty");
    sleep(Duration::from_secs(2)).await;
}

/// All of a file's replicas are there.
async fn is_replicated(person: &Person<'_>, file: &str) {
    let shown = person.call("GET", &format!("/v1/files/{file}"), None).await;
    let replicas = shown.body["replicas"].as_array().cloned().unwrap_or_default();
    assert_eq!(replicas.len(), 2, "{shown:?}");
    let there = |replica: &Value| replica["state"] == "available";
    assert!(replicas.iter().all(there), "{replicas:?}");
}

/// A file, of which these queues were worked on once, one after the other; and then the last one.
async fn stored<'w>(cast: Cast<'w>, content: Bytes, before: &[&str], queue: &'static str) -> Case<'w> {
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &content).await;
    for queue in before {
        worked_on(world, queue).await;
    }
    Case::new(messages(queue), &[200], &[]).then(async move |_| {
        is_replicated(&ada, &file).await;
    })
}

fn large() -> Bytes {
    bytes(1, PART + 5)
}

/// Two replicas of one part, in one batch.
pub(crate) async fn small(cast: Cast<'_>) -> Case<'_> {
    stored(cast, bytes(1, 100), &[], "ReplicateQueue").await
}

/// Multipart uploads are begun.
pub(crate) async fn start(cast: Cast<'_>) -> Case<'_> {
    stored(cast, large(), &[], "ReplicateQueue").await
}

/// Segments are copied.
pub(crate) async fn copy(cast: Cast<'_>) -> Case<'_> {
    stored(cast, large(), &["ReplicateQueue"], "CopyQueue").await
}

/// Objects are made of them.
pub(crate) async fn finish(cast: Cast<'_>) -> Case<'_> {
    stored(cast, large(), &["ReplicateQueue", "CopyQueue"], "ReplicateQueue").await
}

/// Puts a target's store in the place of what is there. Returns that.
fn swap(world: &World, store: S3) -> S3 {
    let mut services = world.cloud.services();
    let place = services.targets.get_mut("near.simulation").expect("a target");
    std::mem::replace(place, store)
}

/// A target without the bucket that it should have: nothing helps until somebody does something.
fn broken(world: &World) -> S3 {
    swap(world, S3::new("another", "key"))
}

async fn asks_to_redrive(cast: &Cast<'_>) -> simulation::gateway::Request {
    let event = json!({ "username": "ada", "role": "operator" });
    cast.world.invoke("account-set-role", event).await;
    cast.ada.request("POST", "/v1/targets/near/redrive", None)
}

/// A replica is given up, and can be tried again.
pub(crate) async fn give_up(cast: Cast<'_>) -> Case<'_> {
    let again = asks_to_redrive(&cast).await;
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
    let right = broken(world);
    let mended = async move {
        swap(world, right);
        sleep(Duration::from_mins(1)).await;
        let answer = ask(world, &again).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        settle(world, SWEEP).await;
        is_replicated(&ada, &file).await;
    };
    Case::new(messages("ReplicateQueue"), &[200], &[]).at_once(mended)
}

/// None is forgotten, none is counted twice, and no dead letter stays for ever.
pub(crate) async fn redrive(cast: Cast<'_>) -> Case<'_> {
    let request = asks_to_redrive(&cast).await;
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
    let right = broken(world);
    worked_on(world, "ReplicateQueue").await;
    swap(world, right);
    let shown = ada.call("GET", &format!("/v1/files/{file}"), None).await;
    let replicas = shown.body["replicas"].as_array().cloned().unwrap_or_default();
    assert!(
        replicas.iter().any(|replica| replica["state"] == "failed"),
        "{replicas:?}"
    );
    let again = request.clone();
    let asked_again = async move {
        // Dead letters that were taken out come again.
        sleep(Duration::from_mins(1)).await;
        let answer = ask(world, &again).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        settle(world, SWEEP).await;
        is_replicated(&ada, &file).await;
    };
    Case::request(&request, &[200], &[]).at_once(asked_again)
}
