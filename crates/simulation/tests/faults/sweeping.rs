//! `sweep`: each thing that it does to an item.

use crate::accounts::{furnish, is_gone_in_a_day, to_delete};
use crate::cast::{Cast, ask, bytes, file_of, has_one_file, used, with_token};
use crate::finalizing::{killed, sent};
use crate::reconciling::report;
use crate::runner::{Act, Case};
use crate::settling::{SWEEP, settle};
use serde_json::{Value, json};
use simulation::cloud::{Fault, Faults};
use simulation::person::PASSWORD;
use simulation::world::{TABLE, World};
use std::time::Duration;
use tokio::time::sleep;

/// A sweep after so many minutes.
pub(crate) async fn sweep_after<'w>(minutes: u64) -> Case<'w> {
    sleep(Duration::from_mins(minutes)).await;
    Case::new(Act::Event(json!({})), &[200], &[])
}

/// A table in which nothing is gets its format, and everything works.
pub(crate) async fn new_table(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    for item in world.items() {
        let key = json!({ "pk": item["pk"], "sk": item["sk"] });
        world.dynamodb("DeleteItem", &json!({ "TableName": TABLE, "Key": key }));
    }
    sweep_after(0).await.then(async move |_| {
        let wanted = json!({ "username": "eve", "password": PASSWORD });
        let made = ask(
            world,
            &with_token(&Value::Null, "POST", "/v1/accounts", Some(wanted)),
        )
        .await;
        assert_eq!(made.status, 201, "{made:?}");
    })
}

/// An upload whose time is over ends once: its reservation is given back, and nothing is left at the store.
pub(crate) async fn expire(cast: Cast<'_>) -> Case<'_> {
    let ada = cast.ada;
    let upload = sent(&ada, json!({ "name": "a", "size": 100 }), &bytes(1, 100)).await;
    // The first look at it is too early.
    sleep(Duration::from_mins(6)).await;
    report(cast.world, "sweep").await;
    sweep_after(125).await.then(async move |_| {
        let shown = ada.call("GET", &format!("/v1/uploads/{upload}"), None).await;
        assert_eq!(shown.body["state"], "expired", "{shown:?}");
        assert_eq!(used(&ada).await, 0);
    })
}

/// Nobody asks about a finalize any more: it ends with a file all the same.
async fn taken_over<'w>(cast: Cast<'w>, operation: &'static str, fault: Fault) -> Case<'w> {
    let content = bytes(1, 100);
    killed(&cast, &content, operation, fault).await;
    let ada = cast.ada;
    sweep_after(10)
        .await
        .then(async move |_| has_one_file(&ada, "a", &content).await)
}

/// It was killed before it did anything.
pub(crate) async fn take_over(cast: Cast<'_>) -> Case<'_> {
    taken_over(cast, "S3 ListParts", Fault::KillBefore).await
}

/// It was killed when the object was made, before that was written down.
pub(crate) async fn take_over_object(cast: Cast<'_>) -> Case<'_> {
    taken_over(cast, "S3 CompleteMultipartUpload", Fault::KillAfter).await
}

/// What an aborted upload left at the store is discarded, by this sweep or the next.
pub(crate) async fn discard(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let upload = sent(&ada, json!({ "name": "a", "size": 100 }), &bytes(1, 100)).await;
    killing(world, "DynamoDB TransactWriteItems", Fault::KillAfter);
    let request = ada.request("DELETE", format!("/v1/uploads/{upload}"), None);
    assert_eq!(ask(world, &request).await.status, 502);
    world.cloud.set_faults(Faults::none());
    sweep_after(1).await.then(async move |_| {
        let uploads = world
            .cloud
            .services()
            .s3
            .uploads(simulation::world::BUCKET)
            .count();
        assert_eq!((uploads, used(&ada).await), (0, 0));
    })
}

fn killing(world: &World, operation: &'static str, fault: Fault) {
    world.cloud.set_faults(Faults::by(move |call| {
        (call.operation == operation).then_some(fault)
    }));
}

/// The finalize died before it sent a message. The replicas get one, or two: that does no harm.
pub(crate) async fn resend(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let content = bytes(1, 100);
    let upload = sent(&ada, json!({ "name": "a", "size": 100 }), &content).await;
    killing(world, "SQS SendMessageBatch", Fault::KillBefore);
    let answer = ask(world, &crate::finalizing::completion(&ada, &upload)).await;
    world.cloud.set_faults(Faults::none());
    assert_eq!(answer.status, 502, "{answer:?}");
    sweep_after(21)
        .await
        .then(async move |_| has_one_file(&ada, "a", &content).await)
}

/// A file that was deleted, and whose blob nobody may refer to soon.
async fn deleted(cast: &Cast<'_>) {
    let Cast { world, ada, .. } = cast;
    let file = file_of(ada, "a", None, &bytes(1, 100)).await;
    settle(world, SWEEP).await;
    let gone = ada.remove(&file).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    sleep(Duration::from_mins(24 * 60 + 2)).await;
}

/// The same content gets a new blob, whatever happened to the other.
fn starts_anew<'w>(case: Case<'w>, cast: Cast<'w>) -> Case<'w> {
    let Cast { world, ada, .. } = cast;
    case.then(async move |_| {
        file_of(&ada, "again", None, &bytes(1, 100)).await;
        has_one_file(&ada, "again", &bytes(1, 100)).await;
        crate::settling::a_day_passes(world).await;
        let blobs = world.rows().into_iter().filter(|row| row["sk"] == "BLOB");
        assert_eq!(blobs.count(), 1);
    })
}

/// A blob without files is marked, and its content is free, or neither.
pub(crate) async fn mark(cast: Cast<'_>) -> Case<'_> {
    deleted(&cast).await;
    starts_anew(sweep_after(0).await, cast)
}

/// A marked blob goes with all that is written about it.
pub(crate) async fn reclaim(cast: Cast<'_>) -> Case<'_> {
    deleted(&cast).await;
    report(cast.world, "sweep").await;
    let marked = cast.world.rows().into_iter().any(|row| row["reclaiming"] == true);
    assert!(marked);
    starts_anew(sweep_after(25).await, cast)
}

/// Whatever befalls the sweep, the next one goes on.
pub(crate) async fn clear_account(cast: Cast<'_>) -> Case<'_> {
    let Cast {
        world, ada, sessions, ..
    } = cast;
    furnish(&ada).await;
    assert_eq!(ask(world, &to_delete(sessions)).await.status, 204);
    report(world, "sweep").await;
    sweep_after(30).await.then(async move |_| {
        is_gone_in_a_day(world, &ada.id).await;
    })
}
