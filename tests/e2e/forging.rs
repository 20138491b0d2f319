//! Getting at bytes that one does not have, and planting bytes that are others.

mod answers;
mod configured;
mod keyed;

use crate::harness::audit;
use crate::harness::bytes::{MIB, fresh};
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id, put};
use crate::harness::proof::{PROVABLE, proof_of, ranges};
use bytes::Bytes;
use domain::content::PartDigest;
use serde_json::{Value, json};

/// Somebody with a file of `size` fresh bytes.
async fn owner_of(size: usize) -> (Person, Bytes) {
    let (owner, bytes) = (Person::not_signed_in().await, fresh(size));
    let upload = owner.sent("original", &bytes).await.id;
    owner.complete(&upload).await.expect(200);
    (owner, bytes)
}

fn id(upload: &Value) -> &str {
    upload["id"].as_str().unwrap()
}

/// That an upload is an ordinary one now, with nothing to be answered any more, and becomes a file of the real bytes.
async fn is_ordinary(person: &Person, upload: &Value, bytes: &[u8]) {
    let shown = person
        .call("GET", &format!("/uploads/{}", id(upload)), None)
        .await;
    let shown = shown.expect(200).json();
    assert_eq!(
        (&shown["state"], shown.get("challenge")),
        (&json!("open"), None),
        "{shown}"
    );
    let right = proof_of(&upload["challenge"], bytes);
    let late = person.prove(id(upload), &right).await.expect(200).json();
    assert_eq!(late["state"], "open", "there was one try: {late}");
    person.complete(id(upload)).await.problem(409, "parts_missing");
    assert!(person.api.all_files(None).await.unwrap().is_empty());
    person.send_parts(id(upload), bytes, [1]).await;
    person.complete(id(upload)).await.expect(200);
}

/// Tries to pass with `guess` for the bytes, and must fail.
async fn fails_with(bytes: &[u8], guess: &[u8]) {
    let person = Person::not_signed_in().await;
    let upload = person.challenged("mine", bytes).await;
    let forged = proof_of(&upload["challenge"], guess);
    let answer = person.prove(id(&upload), &forged).await.expect(200).json();
    assert_eq!(
        (&answer["state"], answer.get("file")),
        (&json!("open"), None),
        "{answer}"
    );
    is_ordinary(&person, &upload, bytes).await;
    assert_eq!(audit::account(&person).await, 1);
}

#[tokio::test]
async fn who_has_the_bytes_gets_the_file_without_sending_them() {
    let (owner, bytes) = owner_of(PROVABLE + 12_345).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("mine", &bytes).await;
    let shown = person
        .call("GET", &format!("/uploads/{}", id(&upload)), None)
        .await;
    assert_eq!(
        shown.expect(200).json()["challenge"],
        upload["challenge"],
        "as long as it lives"
    );
    assert_eq!(person.used().await, bytes.len() as u64, "its bytes are reserved");

    let ranges = ranges(&upload["challenge"]);
    assert_eq!(ranges.len(), 32);
    let slice = bytes.len() / 32;
    for (number, (offset, length)) in ranges.iter().enumerate() {
        assert_eq!(*length, 4096);
        let within = number * slice..(number + 1) * slice + 32;
        assert!(
            within.contains(offset) && within.contains(&(offset + length - 1)),
            "{ranges:?}"
        );
    }
    let proof = proof_of(&upload["challenge"], &bytes);
    let done = person.prove(id(&upload), &proof).await.expect(200).json();
    assert_eq!(
        (&done["state"], done.get("challenge")),
        (&json!("complete"), None),
        "{done}"
    );
    assert_eq!(done["file"]["content_id"], content_id(&bytes).to_string());
    let file = person.api.all_files(None).await.unwrap().remove(0);
    assert_eq!(person.fetch(&file).await, bytes);
    assert_eq!(audit::world(&[&owner, &person], "proven").await, 2);
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_eq!(blob["references"], 2);
}

/// The engine of the command line does it by itself.
#[tokio::test]
async fn the_client_answers_challenges() {
    let (owner, bytes) = owner_of(3 * MIB).await;
    let person = Person::not_signed_in().await;
    let uploaded = person.store("mine", None, &bytes).await;
    assert_eq!(
        (uploaded.how, uploaded.parts_sent),
        (client::transfer::How::Instant, 0)
    );
    assert_eq!(audit::world(&[&owner, &person], "by the client").await, 2);
}

#[tokio::test]
async fn who_knows_only_the_hash() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    fails_with(&bytes, &vec![0; bytes.len()]).await;
}

#[tokio::test]
async fn who_has_half_of_the_bytes() {
    let (_owner, bytes) = owner_of(4 * MIB).await;
    let half = bytes.len() / 2;
    let zeros = vec![0; half];
    fails_with(&bytes, &[&bytes[..half], &zeros].concat()).await;
    fails_with(&bytes, &[&zeros, &bytes[half..]].concat()).await;
    let mut every_other = bytes.to_vec();
    for piece in every_other.chunks_mut(64 * 1024).step_by(2) {
        piece.fill(0);
    }
    fails_with(&bytes, &every_other).await;
}

/// All but two slices of thirty-two.
#[tokio::test]
async fn who_lacks_a_sixteenth_in_one_piece() {
    let (_owner, bytes) = owner_of(2 * MIB).await;
    let mut guess = bytes.to_vec();
    let sixteenth = bytes.len() / 16;
    guess[5 * sixteenth..6 * sixteenth].fill(0);
    fails_with(&bytes, &guess).await;
}

/// The same content id with another size is no content that anybody has.
#[tokio::test]
async fn a_hash_with_another_size() {
    let (_owner, bytes) = owner_of(PROVABLE + 1).await;
    let person = Person::not_signed_in().await;
    let body = json!({ "name": "a", "size": PROVABLE, "content_id": content_id(&bytes) });
    let upload = person
        .call("POST", "/uploads", Some(&body))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&upload["state"], upload.get("challenge")),
        (&json!("open"), None),
        "{upload}"
    );
}

/// Other bytes under a hash that somebody has: refused by the store, or by the finalize.
#[tokio::test]
async fn planting_other_bytes_under_a_known_hash() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let other = fresh(PROVABLE);
    let upload = person.challenged("a", &bytes).await;
    let wrong = person
        .prove(id(&upload), &proof_of(&upload["challenge"], &other))
        .await;
    assert_eq!(wrong.expect(200).json()["state"], "open");
    // Under the digest of the real bytes the store takes no others.
    let signed = person.sign(id(&upload), 1, &bytes).await;
    let refused: HttpResponse = put(&signed, other.clone()).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    // Under their own digest they are not what was announced.
    let signed = person.sign(id(&upload), 1, &other).await;
    put(&signed, other.clone()).await.expect(200);
    let problem = person
        .complete(id(&upload))
        .await
        .problem(409, "content_mismatch");
    assert_eq!(problem["announced"], content_id(&bytes).to_string());
    assert_eq!(problem["stored"], content_id(&other).to_string());
    assert_ne!(PartDigest::of(&bytes), PartDigest::of(&other));
    assert!(person.api.all_files(None).await.unwrap().is_empty());

    let file = owner.api.all_files(None).await.unwrap().remove(0);
    assert_eq!(
        owner.fetch(&file).await,
        bytes,
        "nothing has changed for their owner"
    );
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_eq!(blob["references"], 1);
    assert_eq!(audit::world(&[&owner, &person], "planted").await, 1);
}
