//! The same bytes more than once: one blob, counted.

use crate::harness::audit;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{Person, content_id};
use crate::harness::wait::until;
use client::transfer::How;
use client::types::UploadState;
use serde_json::json;

#[tokio::test]
async fn what_the_account_has_is_stored_at_once() {
    let person = Person::new().await;
    let bytes = fresh(PART + 7);
    let first = person.store("a", None, &bytes).await.file;
    let second = person.store("b", None, &bytes).await;
    assert_eq!((second.how, second.parts_sent), (How::Instant, 0));
    assert_ne!(second.file.id, first.id);
    assert_eq!(person.used().await, 2 * bytes.len() as u64, "each file counts");
    let content = content_id(&bytes).to_string();
    assert_eq!(audit::blob_of(&content).await.unwrap()["references"], 2);
    assert_eq!(audit::account(&person).await, 2);

    person.api.delete_file(&first.id).await.unwrap();
    assert_eq!(audit::blob_of(&content).await.unwrap()["references"], 1);
    assert_eq!(person.fetch(&second.file).await, bytes);
    person.api.delete_file(&second.file.id).await.unwrap();
    assert_eq!(audit::blob_of(&content).await.unwrap()["references"], 0);
    assert_eq!((audit::account(&person).await, person.used().await), (0, 0));
}

/// Without a file of these bytes there is nothing to share, even if the account had one yesterday.
#[tokio::test]
async fn what_the_account_had_is_sent_again() {
    let person = Person::new().await;
    let bytes = fresh(100);
    let file = person.store("a", None, &bytes).await.file;
    person.api.delete_file(&file.id).await.unwrap();
    let again = person.store("a", None, &bytes).await;
    assert_eq!(again.how, How::Sent);
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_eq!(blob["references"], 1, "the blob was revived: {blob}");
    assert_eq!(person.fetch(&again.file).await, bytes);
    audit::account(&person).await;
}

/// Knowing what somebody else's bytes are does not give them away: they have to be sent.
#[tokio::test]
async fn a_content_id_opens_nobody_elses_bytes() {
    let (owner, other) = (Person::new().await, Person::new().await);
    let bytes = fresh(100);
    owner.store("a", None, &bytes).await;
    let upload = other.begin_as("a", bytes.len(), Some(content_id(&bytes))).await;
    assert_eq!((upload.state, &upload.file), (UploadState::Open, &None));
    other.complete(&upload.id).await.problem(409, "parts_missing");
    assert_eq!(audit::account(&other).await, 0);
}

#[tokio::test]
async fn the_same_bytes_of_two_accounts_are_one_blob() {
    let (owner, other) = (Person::new().await, Person::new().await);
    let bytes = fresh(PART + 9);
    let first = owner.sent("a", &bytes).await;
    owner.complete(&first.id).await.expect(200);
    let second = other.sent("b", &bytes).await;
    let row = other.upload_row(&second.id).await;
    other.complete(&second.id).await.expect(200);
    audit::complete_once(&owner, &first.id, &bytes, 2).await;
    audit::complete_once(&other, &second.id, &bytes, 2).await;
    assert_eq!(
        other.used().await,
        bytes.len() as u64,
        "sharing is no business of the quota"
    );
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_ne!(blob["id"], row["blob"]);
    until("the second object is discarded", async || {
        audit::is_discarded(&row).await.then_some(())
    })
    .await;

    let file = owner.api.all_files(None).await.unwrap().remove(0);
    owner.api.delete_file(&file.id).await.unwrap();
    audit::complete_once(&other, &second.id, &bytes, 1).await;
}

/// A part count that the size cannot have, or another size than the content has.
#[tokio::test]
async fn an_announced_content_must_fit_the_size() {
    let person = Person::new().await;
    let bytes = fresh(100);
    person.store("a", None, &bytes).await;
    let content = content_id(&bytes);
    let body = json!({ "name": "b", "size": PART + 1, "content_id": content });
    person
        .call("POST", "/uploads", Some(&body))
        .await
        .problem(400, "invalid_request");
    let body = json!({ "name": "b", "size": 99, "content_id": content });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    assert_eq!(upload["state"], "open", "these 99 bytes cannot be those 100");
}

/// Bytes that the account has already take the place of another file without being sent, and what was there is a version: bytes
/// that the account has, too.
#[tokio::test]
async fn own_content_takes_the_place_of_another_file() {
    let person = Person::new().await;
    let (old, new) = (fresh(100), fresh(200));
    person.store("a", None, &old).await;
    person.store("b", None, &new).await;
    let body = json!({ "name": "a", "size": 200, "content_id": content_id(&new), "on_conflict": "replace" });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    assert_eq!(upload["state"], "complete", "{upload}");
    let files = person.api.all_files(None).await.unwrap();
    assert_eq!(files.len(), 2);
    for file in &files {
        assert_eq!(person.fetch(file).await, new);
    }
    assert_eq!(person.used().await, 500);
    let kept = audit::blob_of(&content_id(&old).to_string()).await.unwrap();
    assert_eq!(kept["references"], 1);
    let body = json!({ "name": "c", "size": 100, "content_id": content_id(&old) });
    let again = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    assert_eq!(again["state"], "complete", "{again}");
    assert_eq!(audit::account(&person).await, 3);
}
