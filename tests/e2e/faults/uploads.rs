//! `upload-create`, `upload-sign-parts`, `upload-abort`.

use super::{all, harmed, status, unharmed};
use crate::harness::audit;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id};
use crate::harness::sandbox::http_event;
use crate::harness::wait::until;
use domain::content::PartDigest;
use serde_json::json;

/// There is an upload with its reservation, or neither; and the next try makes one.
#[tokio::test]
async fn an_upload_that_is_created() {
    let body = json!({ "name": "a", "size": 1000 });
    let person = Person::new().await;
    let event = http_event("POST", "/v1/uploads", None, &person.token, Some(&body));
    let (answer, calls) = unharmed("upload-create", &event).await;
    assert_eq!(status(&answer), 201, "{answer}");
    for fault in all(&calls) {
        let person = Person::new().await;
        let event = http_event("POST", "/v1/uploads", None, &person.token, Some(&body));
        if let Some(answer) = harmed("upload-create", &event, fault).await {
            assert!([201, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        let made = person.api.all_uploads().await.unwrap();
        assert!(made.len() <= 1, "{fault}: {made:?}");
        assert_eq!(person.used().await, 1000 * made.len() as u64, "{fault}");
        person.call("POST", "/uploads", Some(&body)).await.expect(201);
        audit::account(&person).await;
    }
}

/// The same for an upload that is complete at once.
#[tokio::test]
async fn an_instant_upload() {
    let bytes = fresh(100);
    let body = json!({ "name": "b", "size": 100, "content_id": content_id(&bytes) });
    let person = Person::new().await;
    person.store("a", None, &bytes).await;
    let event = http_event("POST", "/v1/uploads", None, &person.token, Some(&body));
    let (answer, calls) = unharmed("upload-create", &event).await;
    assert_eq!(status(&answer), 201, "{answer}");
    for fault in all(&calls) {
        let (person, bytes) = (Person::new().await, fresh(100));
        person.store("a", None, &bytes).await;
        let body = json!({ "name": "b", "size": 100, "content_id": content_id(&bytes) });
        let event = http_event("POST", "/v1/uploads", None, &person.token, Some(&body));
        if let Some(answer) = harmed("upload-create", &event, fault).await {
            assert!([201, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        let again = person.call("POST", "/uploads", Some(&body)).await;
        assert!([201, 409].contains(&again.status), "{fault}: {}", again.text());
        assert_eq!(audit::account(&person).await, 2, "{fault}");
        let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
        assert_eq!(blob["references"], 2, "{fault}");
    }
}

/// At most one multipart upload is recorded, and the upload can be ended, whatever was begun.
#[tokio::test]
async fn parts_that_are_signed() {
    let bytes = fresh(10);
    let body = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(&bytes).to_string() }] });
    let resource = "/v1/uploads/{id}/parts";
    let person = Person::new().await;
    let upload = person.begin("a", &bytes).await;
    let event = http_event("POST", resource, Some(&upload.id), &person.token, Some(&body));
    let (answer, calls) = unharmed("upload-sign-parts", &event).await;
    assert_eq!(status(&answer), 200, "{answer}");
    for fault in all(&calls) {
        let (person, bytes) = (Person::new().await, fresh(10));
        let upload = person.begin("a", &bytes).await;
        let event = http_event("POST", resource, Some(&upload.id), &person.token, Some(&body));
        if let Some(answer) = harmed("upload-sign-parts", &event, fault).await {
            assert!([200, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        person.send_parts(&upload.id, &bytes, [1]).await;
        person.complete(&upload.id).await.expect(200);
        assert_eq!(audit::account(&person).await, 1, "{fault}");
    }
}

/// Aborting again ends it: the reservation is given back once, and nothing is left at the store.
#[tokio::test]
async fn an_upload_that_is_aborted() {
    let resource = "/v1/uploads/{id}";
    let bytes = fresh(PART + 1);
    let person = Person::new().await;
    let upload = person.sent("a", &bytes).await;
    let event = http_event("DELETE", resource, Some(&upload.id), &person.token, None);
    let (answer, calls) = unharmed("upload-abort", &event).await;
    assert_eq!(status(&answer), 204, "{answer}");
    let mut rows = Vec::new();
    for fault in all(&calls) {
        let (person, bytes) = (Person::new().await, fresh(100));
        let upload = person.sent("a", &bytes).await;
        let event = http_event("DELETE", resource, Some(&upload.id), &person.token, None);
        if let Some(answer) = harmed("upload-abort", &event, fault).await {
            assert!([204, 409, 503].contains(&status(&answer)), "{fault}: {answer}");
        }
        person
            .call("DELETE", &format!("/uploads/{}", upload.id), None)
            .await
            .expect(204);
        assert_eq!(person.used().await, 0, "{fault}");
        assert_eq!(audit::account(&person).await, 0, "{fault}");
        rows.push((fault, person.upload_row(&upload.id).await));
    }
    // What the killed ones left is for the sweep.
    for (fault, row) in rows {
        let what = format!("{fault}: everything is discarded");
        until(&what, async || audit::is_discarded(&row).await.then_some(())).await;
    }
}
