//! The bytes of a file are gone from the primary store: a reader finds out, and a user who has them sends them again.

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::stack;
use crate::harness::wait::until;
use bytes::Bytes;
use serde_json::{Value, json};

/// Somebody's file, and the blob of it.
struct Stored {
    owner: Person,
    bytes: Bytes,
    blob: String,
}

impl Stored {
    /// A file that is copied to every target: nobody is at work on its object.
    async fn new(size: usize) -> Self {
        let (owner, bytes) = (Person::not_signed_in().await, fresh(size));
        let upload = owner.sent("original", &bytes).await.id;
        owner.complete(&upload).await.expect(200);
        let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
        let stored = Self {
            owner,
            bytes,
            blob: blob["id"].as_str().unwrap().to_owned(),
        };
        until("it is copied", async || {
            let replicas = aws::items(&stored.partition(), "REPLICA#").await;
            let there = replicas.iter().filter(|replica| replica["state"] == "available");
            (there.count() == stack().targets.len()).then_some(())
        })
        .await;
        stored
    }

    fn partition(&self) -> String {
        format!("BLOB#{}", self.blob)
    }

    fn key(&self) -> String {
        format!("blobs/{}", self.blob)
    }

    /// The object is gone, and nobody has noticed.
    async fn lose_object(&self) {
        aws::lose_object(&self.key()).await;
        assert_eq!(aws::object(&self.key()).await, None);
        assert_eq!(self.row().await.get("lost_since"), None);
    }

    async fn row(&self) -> Value {
        aws::item(&self.partition(), "BLOB").await.unwrap()
    }

    /// It is known that the object is gone; the file that refers to it is still there.
    async fn is_known_to_be_lost(&self) {
        let row = self.row().await;
        assert!(row["lost_since"].is_string(), "{row}");
        assert_eq!(row["references"], 1, "{row}");
        let files = self.owner.api.all_files(None).await.unwrap();
        assert_eq!(files.len(), 1);
        // No other file can refer to it.
        let path = format!("/files/{}/copy", files[0].id);
        let to = json!({ "name": "copy" });
        let copied = self.owner.call("POST", &path, Some(&to)).await;
        assert_eq!(
            (copied.status, &copied.json()["code"]),
            (503, &json!("bytes_unavailable"))
        );
    }

    /// The content has a blob of its own again, with the bytes of `person`.
    async fn has_a_successor(&self, person: &Person) {
        let blob = audit::blob_of(&content_id(&self.bytes).to_string()).await;
        let blob = blob.expect("the content has a blob again");
        assert_ne!(blob["id"], self.blob.as_str());
        assert_eq!((&blob["references"], blob.get("lost_since")), (&json!(1), None));
        let file = person.api.all_files(None).await.unwrap().remove(0);
        assert_eq!(person.fetch(&file).await, self.bytes);
    }

    /// Its owner deletes what they cannot read any more, and nothing is left of it but its successor.
    async fn goes(&self, person: &Person, what: &str) {
        let file = self.owner.api.all_files(None).await.unwrap().remove(0);
        self.owner.api.delete_file(&file.id).await.unwrap();
        let sweep = PrivateSweep::new();
        // It is marked, and then reclaimed.
        for _ in 0..2 {
            sweep.take(&self.partition(), "BLOB", &json!({})).await;
            sweep.run().await;
        }
        assert_eq!(aws::partition(&self.partition()).await, [json!(null); 0]);
        self.has_a_successor(person).await;
        assert_eq!(audit::world(&[&self.owner, person], what).await, 1);
    }
}

/// What was just sent is not thrown away for an object that is not there.
#[tokio::test]
async fn who_sends_bytes_whose_object_is_lost() {
    let stored = Stored::new(1000).await;
    stored.lose_object().await;
    let person = Person::not_signed_in().await;
    let upload = person.sent("mine", &stored.bytes).await;
    let done = person.complete(&upload.id).await.expect(200).json();
    assert_eq!(
        done["file"]["content_id"],
        content_id(&stored.bytes).to_string(),
        "{done}"
    );
    stored.is_known_to_be_lost().await;
    stored.has_a_successor(&person).await;
    stored.goes(&person, "sent again").await;
}

/// A client is not blamed for an answer that cannot be checked: it sends the bytes.
#[tokio::test]
async fn who_proves_bytes_whose_object_is_lost() {
    let stored = Stored::new(PROVABLE + 12_345).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("mine", &stored.bytes).await;
    let id = upload["id"].as_str().unwrap();
    let spent = person.spent().await;
    stored.lose_object().await;
    let right = proof_of(&upload["challenge"], &stored.bytes);
    let answer = person.prove(id, &right).await.expect(200).json();
    assert_eq!(
        (&answer["state"], answer.get("file"), answer.get("challenge")),
        (&json!("open"), None, None),
        "{answer}"
    );
    assert_eq!(person.spent().await, spent, "it was not their fault");
    stored.is_known_to_be_lost().await;
    let content = content_id(&stored.bytes).to_string();
    assert_eq!(audit::blob_of(&content).await, None, "the content is free");

    person.complete(id).await.problem(409, "parts_missing");
    person.send_parts(id, &stored.bytes, [1]).await;
    person.complete(id).await.expect(200);
    stored.has_a_successor(&person).await;
    stored.goes(&person, "proven in vain").await;
}

/// The object was written by hand: nothing shows whether it is the right one. A client that sends the bytes gets a file all
/// the same.
#[tokio::test]
async fn who_sends_bytes_whose_object_has_no_checksum() {
    let stored = Stored::new(1000).await;
    aws::spoil_object(&stored.key()).await;
    let person = Person::not_signed_in().await;
    let upload = person.sent("mine", &stored.bytes).await;
    until("it is complete", async || {
        (person.complete(&upload.id).await.status == 200).then_some(())
    })
    .await;
    stored.is_known_to_be_lost().await;
    stored.has_a_successor(&person).await;
    stored.goes(&person, "no checksum").await;
}

/// A function looks into a bucket that is not there: that says nothing about objects. Whoever names the right one finds them all.
#[tokio::test]
async fn who_looks_into_a_bucket_that_is_not_there() {
    let stored = Stored::new(1000).await;
    let nowhere = [("BUCKET_NAME", "longshore-misspelt")];
    let mut function = Sandbox::start_with("file-download", |_| Act::Pass, &nowhere).await;
    let file = stored.owner.api.all_files(None).await.unwrap().remove(0);
    let event = http_event("file-download", Some(&file.id), &stored.owner.token, None);
    let answer = function.invoke(&event).await.expect("it lives");
    let log = function.log();
    let row = stored.row().await;
    assert_eq!(row.get("lost_since"), None, "{answer}: {row}");
    assert!(log.contains("there is no bucket longshore-misspelt"), "{log}");
    assert!(
        audit::blob_of(&content_id(&stored.bytes).to_string())
            .await
            .is_some(),
        "the content still has its blob"
    );
}
