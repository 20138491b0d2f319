//! `reconcile`.

use crate::cast::{Cast, bytes, file_of, has_one_file, text};
use crate::finalizing::killed;
use crate::runner::{Act, Case};
use crate::settling::{SWEEP, settle};
use serde_json::{Value, json};
use simulation::cloud::{Fault, Faults};
use simulation::lambda::Outcome;
use simulation::world::{BUCKET, TABLE, TARGET_BUCKET, World};
use std::time::Duration;
use tokio::time::sleep;

/// The next pass, when what is there is not young any more.
async fn next_pass<'w>() -> Case<'w> {
    sleep(Duration::from_mins(70)).await;
    Case::new(Act::Event(json!({})), &[200], &[])
}

fn objects(world: &World) -> (usize, usize) {
    let services = world.cloud.services();
    (
        services.s3.objects(BUCKET).count(),
        services.s3.uploads(BUCKET).count(),
    )
}

/// A function began a multipart upload and died before it was written down.
pub(crate) async fn orphaned_parts(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let wanted = json!({ "name": "a", "size": 10 });
    let upload = text(&crate::uploads::begun(&ada, wanted).await["id"]);
    let killed = |call: &simulation::cloud::Call| {
        (call.operation == "S3 CreateMultipartUpload").then_some(Fault::KillAfter)
    };
    world.cloud.set_faults(Faults::by(killed));
    let parts =
        json!({ "parts": [{ "number": 1, "sha256": domain::content::PartDigest::of(b"1234567890") }] });
    let request = ada.request("POST", format!("/v1/uploads/{upload}/parts"), Some(parts));
    assert_eq!(crate::cast::ask(world, &request).await.status, 502);
    world.cloud.set_faults(Faults::none());
    assert_eq!(objects(world), (0, 1));
    next_pass()
        .await
        .then(async move |_| assert_eq!(objects(world), (0, 0)))
}

/// An object was made, and its upload is not there any more.
pub(crate) async fn orphaned_object(cast: Cast<'_>) -> Case<'_> {
    killed(
        &cast,
        &bytes(1, 100),
        "S3 CompleteMultipartUpload",
        Fault::KillAfter,
    )
    .await;
    let Cast { world, ada, .. } = cast;
    // As if the upload had never been.
    let own = format!("ACCOUNT#{}", ada.id);
    for mut item in world
        .items()
        .into_iter()
        .filter(|item| item["pk"]["S"] == own.as_str())
    {
        let sk = text(&item["sk"]["S"]);
        if sk.starts_with("UPLOAD#") || sk.starts_with("KEY#") {
            let key = json!({ "pk": item["pk"], "sk": item["sk"] });
            world.dynamodb("DeleteItem", &json!({ "TableName": TABLE, "Key": key }));
        } else if sk == "ACCOUNT" {
            item["free_bytes"] = item["quota_bytes"].clone();
            world.dynamodb("PutItem", &json!({ "TableName": TABLE, "Item": item }));
        }
    }
    assert_eq!(objects(world), (1, 0));
    next_pass().await.then(async move |_| {
        assert_eq!(objects(world), (0, 0));
        let left = world
            .rows()
            .into_iter()
            .filter(|row| text(&row["pk"]).starts_with("BLOB#"));
        assert_eq!(left.count(), 0);
    })
}

/// A file that is replicated, and its blob.
async fn replicated(cast: &Cast<'_>) -> (String, String) {
    let file = file_of(&cast.ada, "a", None, &bytes(1, 100)).await;
    settle(cast.world, SWEEP).await;
    let blob = cast.world.rows().into_iter().find(|row| row["sk"] == "BLOB");
    (file, text(&blob.expect("a blob")["id"]))
}

/// The primary store has lost an object: the file is read at a target, and the same content gets a new blob.
pub(crate) async fn lost_object(cast: Cast<'_>) -> Case<'_> {
    let (file, blob) = replicated(&cast).await;
    let Cast { world, ada, bob, .. } = cast;
    let key = format!("blobs/{blob}");
    assert!(world.cloud.services().s3.remove_object(BUCKET, &key));
    next_pass().await.then(async move |_| {
        let row = world
            .rows()
            .into_iter()
            .find(|row| row["sk"] == "BLOB")
            .expect("a blob");
        assert!(!row["lost_since"].is_null(), "{row}");
        file_of(&bob, "b", None, &bytes(1, 100)).await;
        has_one_file(&bob, "b", &bytes(1, 100)).await;
        let gone = ada.remove(&file).await;
        assert_eq!(gone.status, 204, "{gone:?}");
    })
}

/// A target has lost an object: it is copied again.
pub(crate) async fn lost_replica(cast: Cast<'_>) -> Case<'_> {
    replicated(&cast).await;
    let world = cast.world;
    {
        let mut services = world.cloud.services();
        let target = services.targets.get_mut("near.simulation").expect("a target");
        let key = target.objects(TARGET_BUCKET).next().expect("an object").key;
        assert!(target.remove_object(TARGET_BUCKET, &key));
    }
    next_pass().await
}

/// What a sweep or a reconciler reports.
pub(crate) async fn report(world: &World, function: &str) -> Value {
    match world.invoke(function, json!({})).await {
        Outcome::Answered(report) => report,
        other => panic!("{function}: {other:?}"),
    }
}
