//! Holes through which work and bytes got lost, were done twice, or stayed for ever.

use crate::harness::aws::multipart_uploads;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id};
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::proxy::Act;
use crate::harness::sandbox::Sandbox;
use crate::harness::target_proxy::Fate;
use crate::harness::test_targets::{Kind, ReplicationFixture, TestTarget};
use crate::harness::wait::until;
use client::types::{ReplicaState, UploadState};
use serde_json::json;

/// There, a message was acknowledged when it came, so a worker that died had lost it.
#[tokio::test]
async fn hole_08_queue_auto_ack_and_lost_messages() {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::S3, |_| Fate::Pass).await]).await;
    let (bytes, place) = (fresh(1000), &fixture.places[0]);
    let stored = fixture.store("a", &bytes).await;
    // A worker that dies in the middle of its work.
    let environment = fixture.queues.environment();
    let dies = |seen: &crate::harness::proxy::Seen| {
        if seen.operation == "S3 GetObject" {
            Act::KillBefore
        } else {
            Act::Pass
        }
    };
    let mut dying = Sandbox::start_with("replicate", dies, &environment).await;
    assert_eq!(fixture.queues.hand_over(&mut dying).await, 1);
    assert!(dying.is_dead());
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
    until("the message comes back, and the file arrives", async || {
        fixture.queues.hand_over(&mut worker).await;
        let replica = fixture.replica(&stored, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    // And one whose message never came at all: the sweep sends another.
    let second = fixture.store("b", &bytes[1..]).await;
    fixture.queues.forget().await;
    let sweep = PrivateSweep::new();
    let replica = format!("REPLICA#{}", place.name);
    sweep
        .take(&format!("BLOB#{}", second.blob), &replica, &json!({}))
        .await;
    let mut function = Sandbox::start_with("sweep", |_| Act::Pass, &environment).await;
    sweep.take_what_is_written_by(&function);
    function
        .invoke(&crate::harness::private_sweep::event())
        .await
        .unwrap();
    until("the sweep sends a message", async || {
        fixture.queues.hand_over(&mut worker).await;
        let replica = fixture.replica(&second, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    assert_eq!(place.object(&second.blob), bytes[1..]);
    fixture.close().await;
}

/// There, only files that came in one piece were ever copied to another store.
#[tokio::test]
async fn hole_09_chunked_uploads_never_replicated() {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::S3, |_| Fate::Pass).await]).await;
    let (bytes, place) = (fresh(2 * PART + 1), &fixture.places[0]);
    let stored = fixture.store("chunked", &bytes).await;
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &fixture.queues.environment()).await;
    until("the file arrives", async || {
        fixture.queues.hand_over(&mut worker).await;
        let replica = fixture.replica(&stored, place).await;
        (replica.state == ReplicaState::Available).then_some(())
    })
    .await;
    assert_eq!(place.object(&stored.blob), bytes);
    fixture.close().await;
}

/// There, a failed copy was never reported.
#[tokio::test]
async fn hole_10_replication_errors_discarded() {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::S3, |_| Fate::Refuse).await]).await;
    let stored = fixture.store("a", &fresh(100)).await;
    let mut environment = fixture.queues.environment().to_vec();
    environment.push(("MAX_RECEIVES", "1"));
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
    fixture.queues.hand_over(&mut worker).await;
    let replica = fixture.replica(&stored, &fixture.places[0]).await;
    assert_eq!(replica.state, ReplicaState::Failed, "its owner sees it");
    assert!(replica.last_error.is_some_and(|error| !error.is_empty()));
    assert_eq!(
        fixture.queues.dead_letter_count().await,
        1,
        "so does the operator"
    );
    assert_eq!(fixture.places[0].counters("failed").await, 1);
    fixture.close().await;
}

/// There, what was sent twice was done twice.
#[tokio::test]
async fn hole_12_no_idempotence() {
    let person = Person::new().await;
    let bytes = fresh(100);
    let body = json!({ "name": "a", "size": bytes.len() }).to_string();
    let key = [("idempotency-key", "one"), ("content-type", "application/json")];
    let mut uploads = Vec::new();
    for _ in 0..3 {
        let answer = person.raw("POST", "/uploads", &key, body.clone()).await;
        uploads.push(answer.expect(201).json()["id"].as_str().unwrap().to_owned());
    }
    assert!(uploads.iter().all(|id| *id == uploads[0]), "{uploads:?}");
    person.send_parts(&uploads[0], &bytes, [1]).await;
    let mut files = Vec::new();
    for _ in 0..3 {
        files.push(person.complete(&uploads[0]).await.expect(200).json()["file"]["id"].clone());
    }
    assert!(files.iter().all(|id| *id == files[0]), "{files:?}");
    assert_eq!(person.api.all_files(None).await.unwrap().len(), 1);
    assert_eq!(person.used().await, bytes.len() as u64);
}

/// There, the chunks of an upload that nobody finished stayed for ever.
#[tokio::test]
async fn hole_13_chunks_never_collected() {
    let person = Person::new().await;
    let bytes = fresh(PART + 1);
    let upload = person.begin("a", &bytes).await.id;
    person.send_parts(&upload, &bytes, [1]).await;
    let row = person.upload_row(&upload).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    assert_eq!(multipart_uploads(&key).await.len(), 1);
    let sweep = PrivateSweep::new();
    sweep.take_expired(&person, &upload).await;
    sweep.run().await;
    assert_eq!(
        person.api.upload(&upload).await.unwrap().state,
        UploadState::Expired
    );
    until("the chunks are gone", async || {
        multipart_uploads(&key).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(person.used().await, 0);
}

/// There, deleting a file deleted the bytes of everybody who had the same.
#[tokio::test]
async fn hole_14_delete_without_reference_count() {
    let (one, other) = (Person::new().await, Person::new().await);
    let bytes = fresh(1000);
    let first = one.store("a", None, &bytes).await.file;
    let second = other.store("b", None, &bytes).await.file;
    let content = content_id(&bytes).to_string();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 2);
    one.api.delete_file(&first.id).await.unwrap();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 1);
    assert_eq!(other.fetch(&second).await, bytes);
    other.api.delete_file(&second.id).await.unwrap();
    let blob = crate::harness::audit::blob_of(&content).await.unwrap();
    assert_eq!(blob["references"], 0);
}
