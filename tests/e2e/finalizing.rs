//! Parts become a file: what is refused, what can be repaired, what happens at the same time.

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id, part_range, put};
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::wait::until;
use bytes::Bytes;
use client::transfer::How;
use client::types::UploadState;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn missing_parts_are_named_and_the_upload_goes_on() {
    let person = Person::new().await;
    let bytes = fresh(4 * PART + 5);
    let upload = person.begin("a", &bytes).await;
    let problem = person.complete(&upload.id).await.problem(409, "parts_missing");
    assert_eq!(
        (&problem["missing"], &problem["missing_count"]),
        (&json!([1, 2, 3, 4, 5]), &json!(5))
    );
    person.send_parts(&upload.id, &bytes, [1, 3, 5]).await;
    let problem = person.complete(&upload.id).await.problem(409, "parts_missing");
    assert_eq!(
        (&problem["missing"], &problem["missing_count"]),
        (&json!([2, 4]), &json!(2))
    );
    let shown = person.api.upload(&upload.id).await.unwrap();
    assert_eq!(shown.state, UploadState::Open);
    let received: Vec<(u32, u64)> = shown
        .received
        .unwrap()
        .iter()
        .map(|part| (part.number, part.size))
        .collect();
    assert_eq!(received, [(1, PART as u64), (3, PART as u64), (5, 5)]);

    person.send_parts(&upload.id, &bytes, [2, 4]).await;
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

#[tokio::test]
async fn a_long_list_of_missing_parts_is_cut() {
    let person = Person::new().await;
    let upload = person.begin_as("a", 150 * PART, None).await;
    let problem = person.complete(&upload.id).await.problem(409, "parts_missing");
    assert_eq!(problem["missing"], json!((1..=100).collect::<Vec<_>>()));
    assert_eq!(problem["missing_count"], 150);
}

#[tokio::test]
async fn other_bytes_than_announced_are_repaired_by_sending_the_right_ones() {
    let person = Person::new().await;
    let bytes = fresh(PART + 100);
    let upload = person.begin_as("a", bytes.len(), Some(content_id(&bytes))).await;
    person.send_parts(&upload.id, &bytes, [1]).await;
    let wrong = fresh(100);
    let signed = person.sign(&upload.id, 2, &wrong).await;
    put(&signed, wrong).await.expect(200);
    let problem = person.complete(&upload.id).await.problem(409, "content_mismatch");
    assert_eq!(problem["announced"], content_id(&bytes).to_string());
    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().state,
        UploadState::Open
    );
    person.send_parts(&upload.id, &bytes, [2]).await;
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// The file is what was sent last, and its content id says so.
#[tokio::test]
async fn a_part_that_was_sent_again() {
    let person = Person::new().await;
    let (first, second) = (fresh(PART + 100), fresh(PART + 100));
    let upload = person.begin("a", &first).await;
    person.send_parts(&upload.id, &first, [1, 2]).await;
    person.send_parts(&upload.id, &second, [1]).await;
    person.complete(&upload.id).await.expect(200);
    let mixed = [&second[part_range(&second, 1)], &first[part_range(&first, 2)]].concat();
    audit::complete_once(&person, &upload.id, &mixed, 1).await;
}

#[tokio::test]
async fn completing_again_changes_nothing() {
    let person = Person::new().await;
    let bytes = fresh(1000);
    let upload = person.sent("a", &bytes).await;
    let first = person.complete(&upload.id).await.expect(200).json();
    for _ in 0..3 {
        let again = person.complete(&upload.id).await.expect(200).json();
        assert_eq!(again["file"]["id"], first["file"]["id"]);
    }
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
    person
        .call("DELETE", &format!("/uploads/{}", upload.id), None)
        .await
        .problem(409, "upload_not_open");
    person
        .call(
            "POST",
            &format!("/uploads/{}/parts", upload.id),
            Some(&parts(&bytes)),
        )
        .await
        .problem(409, "upload_not_open");
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// A file that was deleted does not come back by completing its upload again.
#[tokio::test]
async fn completing_after_the_file_was_deleted() {
    let person = Person::new().await;
    let bytes = fresh(1000);
    let upload = person.sent("a", &bytes).await;
    let file = person.complete(&upload.id).await.expect(200).json()["file"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    person.api.delete_file(&file).await.unwrap();
    let again = person.complete(&upload.id).await.expect(200).json();
    assert_eq!(
        (&again["state"], &again["file"]),
        (&json!("complete"), &json!(null))
    );
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

/// Nor is another content shown as what an upload became.
#[tokio::test]
async fn completing_after_the_file_was_replaced() {
    let person = Person::new().await;
    let upload = person.sent("a", &fresh(1000)).await;
    let first = person.complete(&upload.id).await.expect(200).json();
    let bytes = fresh(1001);
    let body = json!({ "name": "a", "size": bytes.len(), "on_conflict": "replace" });
    let second = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    let second = second["id"].as_str().unwrap().to_owned();
    person.send_parts(&second, &bytes, [1]).await;
    let replaced = person.complete(&second).await.expect(200).json();
    assert_eq!(first["file"]["id"], replaced["file"]["id"], "a file keeps its id");
    let again = person.complete(&upload.id).await.expect(200).json();
    assert_eq!(
        (&again["state"], &again["file"]),
        (&json!("complete"), &json!(null))
    );
    assert_eq!(again["content_id"], first["content_id"]);
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn completing_at_the_same_time_makes_one_file() {
    let person = Person::new().await;
    let bytes = fresh(2 * PART + 3);
    let upload = person.sent("a", &bytes).await;
    let answers = futures::future::join_all((0..6).map(|_| person.complete(&upload.id))).await;
    for answer in &answers {
        assert!(
            [200, 202].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.text()
        );
    }
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// Several uploads of the same new bytes, completed at once: each is a file, and there is one blob.
#[tokio::test]
async fn the_same_content_at_the_same_time_is_one_blob() {
    let person = Person::new().await;
    let bytes = fresh(PART + 1);
    let mut uploads = Vec::new();
    for n in 0..4 {
        uploads.push(person.sent(&format!("{n}"), &bytes).await);
    }
    let answers = futures::future::join_all(uploads.iter().map(|upload| person.complete(&upload.id))).await;
    for (answer, upload) in answers.iter().zip(&uploads) {
        assert!(
            [200, 202].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.text()
        );
        until("the upload is complete", async || {
            (person.complete(&upload.id).await.status == 200).then_some(())
        })
        .await;
    }
    for upload in &uploads {
        audit::complete_once(&person, &upload.id, &bytes, 4).await;
    }
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    for upload in &uploads {
        let row = person.upload_row(&upload.id).await;
        if row["blob"] != blob["id"] {
            until("the other objects are discarded", async || {
                audit::is_discarded(&row).await.then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let person = Person::new().await;
    let bytes = fresh(PART + 1);
    let upload = person.sent("a", &bytes).await;
    let row = person.upload_row(&upload.id).await;
    let signed = person.sign(&upload.id, 2, &bytes[PART..]).await;
    assert!(!audit::is_discarded(&row).await);
    person
        .call("DELETE", &format!("/uploads/{}", upload.id), None)
        .await
        .expect(204);
    assert!(audit::is_discarded(&row).await);
    assert_eq!(person.used().await, 0);
    person
        .call("DELETE", &format!("/uploads/{}", upload.id), None)
        .await
        .expect(204);
    person.complete(&upload.id).await.problem(409, "upload_not_open");
    person
        .call(
            "POST",
            &format!("/uploads/{}/parts", upload.id),
            Some(&parts(&bytes)),
        )
        .await
        .problem(409, "upload_not_open");
    put(&signed, bytes.slice(PART..)).await.expect(404);
    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().state,
        UploadState::Aborted
    );
    assert_eq!((person.used().await, audit::account(&person).await), (0, 0));
}

/// Whichever wins: a file and its bytes, or neither.
#[tokio::test]
async fn aborting_while_completing() {
    for _ in 0..4 {
        let person = Person::new().await;
        let bytes = fresh(1000);
        let upload = person.sent("a", &bytes).await;
        let path = format!("/uploads/{}", upload.id);
        let (completed, aborted) =
            futures::future::join(person.complete(&upload.id), person.call("DELETE", &path, None)).await;
        match (completed.status, aborted.status) {
            (200, 409) => audit::complete_once(&person, &upload.id, &bytes, 1).await,
            (409, 204) => {
                assert_eq!(
                    person.api.upload(&upload.id).await.unwrap().state,
                    UploadState::Aborted
                );
                let row = person.upload_row(&upload.id).await;
                until("everything is discarded", async || {
                    audit::is_discarded(&row).await.then_some(())
                })
                .await;
                assert_eq!((person.used().await, audit::account(&person).await), (0, 0));
            }
            other => panic!("{other:?}: {} {}", completed.text(), aborted.text()),
        }
    }
}

/// The store lost the multipart upload (a lifecycle rule, a hand in the console): the upload starts over.
#[tokio::test]
async fn parts_that_the_store_lost_are_sent_again() {
    let person = Person::new().await;
    let bytes = fresh(PART + 1);
    let upload = person.sent("a", &bytes).await;
    let row = person.upload_row(&upload.id).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    aws::abort_multipart(&key, row["multipart_id"].as_str().unwrap()).await;
    assert_eq!(
        person.api.upload(&upload.id).await.unwrap().received,
        Some(Vec::new())
    );
    let problem = person.complete(&upload.id).await.problem(409, "parts_missing");
    assert_eq!(problem["missing"], json!([1, 2]));
    person.send_parts(&upload.id, &bytes, [1, 2]).await;
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// The same for the command line's engine, which knows nothing of it.
#[tokio::test]
async fn an_upload_that_the_store_lost_is_resumed() {
    let person = Person::new().await;
    let bytes = fresh(2 * PART + 1);
    let upload = person.begin_as("a", bytes.len(), Some(content_id(&bytes))).await;
    person.send_parts(&upload.id, &bytes, [1, 2]).await;
    let row = person.upload_row(&upload.id).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    aws::abort_multipart(&key, row["multipart_id"].as_str().unwrap()).await;
    let uploaded = person.store("a", None, &bytes).await;
    assert_eq!(
        (uploaded.how, uploaded.parts_sent, uploaded.parts_kept),
        (How::Resumed, 3, 0)
    );
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// Clients that sign in parallel begin one multipart upload between them.
#[tokio::test]
async fn signing_at_the_same_time_begins_one_multipart_upload() {
    let person = Person::new().await;
    let bytes = fresh(3 * PART);
    let upload = person.begin("a", &bytes).await;
    let sign = |number| {
        let (person, bytes, upload) = (&person, &bytes, &upload);
        async move {
            let part = Bytes::copy_from_slice(&bytes[part_range(bytes, number)]);
            let signed = person.sign(&upload.id, number, &part).await;
            put(&signed, part).await.expect(200);
        }
    };
    futures::future::join_all((1..=3).map(sign)).await;
    has_one_multipart_upload(&person, &upload.id).await;
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// The slower of two learns that the other one's multipart upload counts, and aborts its own.
#[tokio::test]
async fn whoever_signs_too_late_aborts_what_it_began() {
    let person = Person::new().await;
    let bytes = fresh(3 * PART);
    let upload = person.begin("a", &bytes).await;
    let late = |seen: &Seen| {
        if seen.operation == "DynamoDB TransactWriteItems" {
            Act::Late
        } else {
            Act::Pass
        }
    };
    let mut slow = Sandbox::start("upload-sign-parts", late).await;
    let proxy = Arc::clone(&slow.proxy);
    let event = http_event(
        "upload-sign-parts",
        Some(&upload.id),
        &person.token,
        Some(&parts(&bytes)),
    );
    let quick = async {
        until("the slower one has begun", async || {
            let begun = proxy.operations();
            begun
                .contains(&"DynamoDB TransactWriteItems".to_owned())
                .then_some(())
        })
        .await;
        person.sign(&upload.id, 1, &bytes[part_range(&bytes, 1)]).await;
        proxy.go();
    };
    let (answer, ()) = futures::future::join(slow.invoke(&event), quick).await;
    assert_eq!(answer.unwrap()["statusCode"], 200);
    assert!(proxy.operations().contains(&"S3 AbortMultipartUpload".to_owned()));
    person.send_parts(&upload.id, &bytes, 1..=3).await;
    has_one_multipart_upload(&person, &upload.id).await;
    person.complete(&upload.id).await.expect(200);
    audit::complete_once(&person, &upload.id, &bytes, 1).await;
}

/// The store has the multipart upload that the row names, and no other.
async fn has_one_multipart_upload(person: &Person, upload: &str) {
    let row = person.upload_row(upload).await;
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    assert_eq!(
        aws::multipart_uploads(&key).await,
        [row["multipart_id"].as_str().unwrap()]
    );
}

fn parts(bytes: &[u8]) -> serde_json::Value {
    let digest = domain::content::PartDigest::of(&bytes[part_range(bytes, 1)]);
    json!({ "parts": [{ "number": 1, "sha256": digest.to_string() }] })
}
