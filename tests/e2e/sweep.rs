//! What the sweep ends when nobody asks: stale finalizes, expired uploads, bytes without files.

mod draining;
mod overlapping;

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id, put};
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use crate::harness::world::{World, schedule};
use client::types::UploadState;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One sweep, by the real function. The deployed one runs every minute besides.
pub(crate) async fn sweep() {
    let mut function = Sandbox::start("sweep", |_| Act::Pass).await;
    let report = function.invoke(&json!({ "source": "aws.events" })).await.unwrap();
    println!("{report}");
    assert!(report.get("error").is_none(), "{report}");
}

#[tokio::test]
async fn a_finalize_that_nobody_asks_about_is_finished() {
    let person = Person::new().await;
    let bytes = fresh(PART + 5);
    let mut uploads = Vec::new();
    // With the multipart upload still there, and with the object made but not written down.
    for (name, way) in [("a", Act::KillBefore), ("b", Act::KillAfter)] {
        let bytes = [&bytes[..], name.as_bytes()].concat();
        let upload = person.sent(name, &bytes).await.id;
        let event = http_event("upload-complete", Some(&upload), &person.token, None);
        let rule = move |seen: &Seen| {
            if seen.operation == "S3 CompleteMultipartUpload" {
                way
            } else {
                Act::Pass
            }
        };
        let mut function = Sandbox::start("upload-complete", rule).await;
        assert_eq!(function.invoke(&event).await, None, "killed");
        assert_eq!(person.upload_row(&upload).await["state"], "finalizing");
        person.make_due(&upload, "lease_until").await;
        uploads.push((upload, bytes));
    }
    sweep().await;
    for (upload, bytes) in uploads {
        // Looking at the row asks nobody.
        until("the sweep has finished it", async || {
            (person.upload_row(&upload).await["state"] == "complete").then_some(())
        })
        .await;
        audit::complete_once(&person, &upload, &bytes, 1).await;
    }
}

#[tokio::test]
async fn an_upload_that_nobody_touches_expires() {
    let person = Person::new().await;
    let bytes = fresh(PART + 5);
    let sent = person.sent("a", &bytes).await;
    let never_begun = person.begin("b", &bytes).await;
    let touched = person.sent("c", &bytes).await;
    let row = person.upload_row(&sent.id).await;
    let signed = person.sign(&sent.id, 2, &bytes[PART..]).await;
    for upload in [&sent, &never_begun] {
        person.make_due(&upload.id, "expires_at").await;
        // It is over even before the sweep comes.
        person.complete(&upload.id).await.problem(409, "upload_not_open");
    }
    // The index may be behind: only what the row itself says counts.
    person
        .set_upload(&touched.id, &json!({ "due_at": 1_577_836_800 }))
        .await;
    sweep().await;
    for upload in [&sent, &never_begun] {
        until("the upload has expired", async || {
            let state = person.api.upload(&upload.id).await.unwrap().state;
            (state == UploadState::Expired).then_some(())
        })
        .await;
    }
    until("everything is discarded", async || {
        audit::is_discarded(&row).await.then_some(())
    })
    .await;
    put(&signed, bytes.slice(PART..)).await.expect(404);
    assert_eq!(
        person.used().await,
        bytes.len() as u64,
        "only the touched one is left"
    );
    audit::account(&person).await;
    person.complete(&touched.id).await.expect(200);
    audit::complete_once(&person, &touched.id, &bytes, 1).await;
}

/// The bytes are deleted when the grace period is over; the same content then gets a new blob.
#[tokio::test]
async fn bytes_without_files_are_reclaimed() {
    let person = Person::new().await;
    let bytes = fresh(PART + 5);
    let content = content_id(&bytes).to_string();
    let file = person.store("a", None, &bytes).await.file;
    let blob = audit::blob_of(&content).await.unwrap();
    let pk = format!("BLOB#{}", blob["id"].as_str().unwrap());
    let key = format!("blobs/{}", blob["id"].as_str().unwrap());
    person.api.delete_file(&file.id).await.unwrap();
    sweep().await;
    assert!(aws::object(&key).await.is_some(), "the grace period is not over");

    let over = json!({ "due_at": 1_577_836_800 });
    aws::set(&pk, "BLOB", &over).await;
    sweep().await;
    let blob = until("reclaiming begins", async || {
        let blob = aws::item(&pk, "BLOB").await.expect("workers may still be at it");
        (blob["reclaiming"] == true).then_some(blob)
    })
    .await;
    assert_eq!(audit::blob_of(&content).await, None, "the content is free");
    assert!(blob["due_at"].as_u64() > over["due_at"].as_u64(), "{blob}");
    assert!(aws::object(&key).await.is_some());
    let meanwhile = person.store("b", None, &bytes).await;
    assert_eq!(
        meanwhile.how,
        client::transfer::How::Sent,
        "what is being reclaimed is never shared"
    );

    aws::set(&pk, "BLOB", &over).await;
    sweep().await;
    until("the blob is gone", async || {
        aws::item(&pk, "BLOB").await.is_none().then_some(())
    })
    .await;
    for prefix in ["DIGESTS#", "REPLICA#", "SEGMENT#"] {
        assert_eq!(aws::items(&pk, prefix).await, [json!(null); 0]);
    }
    assert_eq!(aws::object(&key).await, None);

    assert_eq!(person.fetch(&meanwhile.file).await, bytes);
    assert_eq!(audit::account(&person).await, 1);
}

/// Whatever a sweep is doing when it is killed, the next one ends.
#[tokio::test]
async fn a_sweep_that_is_killed() {
    for call in 1..=16 {
        let person = Person::new().await;
        let bytes = fresh(1000);
        let expired = person.sent("expired", &bytes).await;
        let row = person.upload_row(&expired.id).await;
        person.make_due(&expired.id, "expires_at").await;
        // There are many others: for what is due, and what waits.
        let about = [expired.id.as_str(), row["blob"].as_str().unwrap(), "LEASE#"].map(str::to_owned);
        let calls = AtomicUsize::new(0);
        let rule = move |seen: &Seen| {
            if seen.is_about(&about) && calls.fetch_add(1, Ordering::Relaxed) + 1 == call {
                Act::KillAfter
            } else {
                Act::Pass
            }
        };
        let mut function = Sandbox::start("sweep", rule).await;
        // With little to do it may have ended before that call.
        function.invoke(&json!({ "source": "aws.events" })).await;
        drop(function);
        sweep().await;
        until(
            &format!("killed at call {call}: the upload has expired"),
            async || (person.upload_row(&expired.id).await["state"] == "expired").then_some(()),
        )
        .await;
        until(
            &format!("killed at call {call}: everything is discarded"),
            async || audit::is_discarded(&row).await.then_some(()),
        )
        .await;
        assert_eq!((person.used().await, audit::account(&person).await), (0, 0));
    }
}

/// A file came back to the bytes before the sweep did.
#[tokio::test]
async fn bytes_with_a_file_again_are_kept() {
    let person = Person::new().await;
    let bytes = fresh(100);
    let content = content_id(&bytes).to_string();
    let first = person.store("a", None, &bytes).await.file;
    let pk = format!(
        "BLOB#{}",
        audit::blob_of(&content).await.unwrap()["id"].as_str().unwrap()
    );
    person.api.delete_file(&first.id).await.unwrap();
    let second = person.store("b", None, &bytes).await.file;
    aws::set(&pk, "BLOB", &json!({ "due_at": 1_577_836_800 })).await;
    sweep().await;
    until("the sweep need not look again", async || {
        let blob = audit::blob_of(&content).await.expect("the blob is kept");
        blob.get("due_at").is_none().then_some(())
    })
    .await;
    assert_eq!(person.fetch(&second).await, bytes);
}

/// A sweep that dies while it sends lost messages again does not have the next one begin with the same.
#[tokio::test]
async fn what_a_message_was_sent_for_is_left_alone_for_a_while() {
    let mut world = World::new().await;
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let sent = world.store("a", &fresh(100)).await;
    world.queues.forget().await;
    let overdue = json!({ "due_at": 1_577_836_800 });
    world.set_item(&sent.partition(), "REPLICA#a", &overdue).await;
    let rule = |seen: &Seen| match seen.operation.as_str() {
        "SQS SendMessageBatch" => Act::KillBefore,
        _ => Act::Pass,
    };
    let mut killed = world.function("sweep", rule).await;
    assert_eq!(killed.invoke(&schedule()).await, None, "killed");
    let due = async || {
        world.replica(&sent, "a").await.unwrap()["due_at"]
            .as_i64()
            .unwrap()
    };
    assert!(due().await > jiff::Timestamp::now().as_second() + 15 * 60);
    assert_eq!(world.sweep().await["resent"], 0);
    // When that is over, too, it is sent.
    world.set_item(&sent.partition(), "REPLICA#a", &overdue).await;
    assert_eq!(world.sweep().await["resent"], 1);
    assert!(due().await > jiff::Timestamp::now().as_second() + 15 * 60);
    world.work().await;
    assert_eq!(world.replica(&sent, "a").await.unwrap()["state"], "available");
    world.remove().await;
}
