//! Getting at bytes that one does not have, and planting bytes that are others.

mod configured;
mod keyed;

use crate::harness::audit;
use crate::harness::bytes::{MIB, fresh};
use crate::harness::http::Answer;
use crate::harness::person::{Person, content_id, put};
use crate::harness::proof::{PROVABLE, proof_of, ranges};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use client::types::UploadState;
use domain::content::PartDigest;
use futures::future::join_all;
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

#[tokio::test]
async fn the_right_answer_of_somebody_else() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let (ann, bob) = (Person::not_signed_in().await, Person::not_signed_in().await);
    let (hers, his) = (
        ann.challenged("a", &bytes).await,
        bob.challenged("b", &bytes).await,
    );
    assert_ne!(hers["challenge"]["nonce"], his["challenge"]["nonce"]);
    let right = proof_of(&hers["challenge"], &bytes);
    let answer = bob.prove(id(&his), &right).await.expect(200).json();
    assert_eq!(answer["state"], "open", "{answer}");
    is_ordinary(&bob, &his, &bytes).await;

    // Her challenge is not his to answer, or to see.
    bob.prove(id(&hers), &right).await.problem(404, "not_found");
    bob.call("GET", &format!("/uploads/{}", id(&hers)), None)
        .await
        .problem(404, "not_found");
    let answer = ann.prove(id(&hers), &right).await.expect(200).json();
    assert_eq!(answer["state"], "complete", "{answer}");
}

#[tokio::test]
async fn the_right_answer_of_another_time() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let first = person.challenged("a", &bytes).await;
    let right = proof_of(&first["challenge"], &bytes);
    let answer = person.prove(id(&first), &right).await.expect(200).json();
    person
        .api
        .delete_file(answer["file"]["id"].as_str().unwrap())
        .await
        .unwrap();
    let second = person.challenged("a", &bytes).await;
    assert_ne!(first["challenge"], second["challenge"]);
    let replayed = person.prove(id(&second), &right).await.expect(200).json();
    assert_eq!(replayed["state"], "open", "{replayed}");
    is_ordinary(&person, &second, &bytes).await;
}

/// A client that lacks some of the ranges cannot retry until they suit.
#[tokio::test]
async fn beginning_again_asks_for_the_same_ranges() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let (person, other) = (Person::not_signed_in().await, Person::not_signed_in().await);
    let first = person.challenged("a", &bytes).await;
    person
        .call("DELETE", &format!("/uploads/{}", id(&first)), None)
        .await
        .expect(204);
    let (second, others) = (
        person.challenged("a", &bytes).await,
        other.challenged("a", &bytes).await,
    );
    let part = |upload: &Value, member: &str| upload["challenge"][member].clone();
    assert_eq!(part(&first, "ranges"), part(&second, "ranges"));
    assert_ne!(part(&first, "nonce"), part(&second, "nonce"));
    assert_ne!(part(&first, "ranges"), part(&others, "ranges"));
}

#[tokio::test]
async fn an_answer_that_comes_too_late() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let mut stored = person.upload_row(id(&upload)).await["challenge"].clone();
    assert_eq!(stored["challenge"]["nonce"], upload["challenge"]["nonce"]);
    stored["challenge"]["expires_at"] = json!("2026-01-01T00:00:00Z");
    person
        .set_upload(id(&upload), &json!({ "challenge": stored }))
        .await;
    let shown = person.api.upload(id(&upload)).await.unwrap();
    assert_eq!((shown.state, shown.challenge), (UploadState::Open, None));
    let right = proof_of(&upload["challenge"], &bytes);
    let spent = person.spent().await;
    let answer = person.prove(id(&upload), &right).await.expect(200).json();
    assert_eq!(answer["state"], "open", "{answer}");
    assert_eq!(
        person.spent().await,
        spent + 10,
        "it costs as much as a wrong one"
    );
    is_ordinary(&person, &upload, &bytes).await;
}

/// Twice, and eight times at once: one file, one reference, and all get the same answer.
#[tokio::test]
async fn the_right_answer_again() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let right = proof_of(&upload["challenge"], &bytes);
    let answers = join_all((0..8).map(|_| person.prove(id(&upload), &right))).await;
    let again = person.prove(id(&upload), &right).await;
    let file = again.json()["file"]["id"].clone();
    assert!(file.is_string(), "{}", again.text());
    for answer in answers.into_iter().chain([again]) {
        let answer = answer.expect(200).json();
        assert_eq!(
            (&answer["state"], &answer["file"]["id"]),
            (&json!("complete"), &file),
            "{answer}"
        );
    }
    // A wrong one changes nothing any more.
    let wrong = BASE64.encode([7; 32]);
    let answer = person.prove(id(&upload), &wrong).await.expect(200).json();
    assert_eq!(answer["state"], "complete", "{answer}");
    assert_eq!(audit::world(&[&owner, &person], "answered again").await, 2);
}

/// The first answer counts, whichever that is.
#[tokio::test]
async fn right_and_wrong_at_the_same_time() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    for _ in 0..4 {
        let person = Person::not_signed_in().await;
        let upload = person.challenged("a", &bytes).await;
        let right = proof_of(&upload["challenge"], &bytes);
        let wrong = BASE64.encode([7; 32]);
        let answers =
            join_all([&right, &wrong, &right, &wrong].map(|proof| person.prove(id(&upload), proof))).await;
        let states: Vec<Value> = answers
            .into_iter()
            .map(|answer| answer.expect(200).json()["state"].clone())
            .collect();
        let end = person.api.upload(id(&upload)).await.unwrap();
        match end.state {
            UploadState::Complete => assert!(states.iter().all(|state| state == "complete"), "{states:?}"),
            UploadState::Open => {
                assert!(states.iter().all(|state| state == "open"), "{states:?}");
                is_ordinary(&person, &upload, &bytes).await;
            }
            other => panic!("{other:?}"),
        }
        audit::account(&person).await;
    }
    audit::account(&owner).await;
}

#[tokio::test]
async fn what_is_no_answer_leaves_the_challenge() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let path = format!("/uploads/{}/proof", id(&upload));
    for bad in [
        json!({}),
        json!({ "proof": "" }),
        json!({ "proof": "x" }),
        json!({ "proof": 7 }),
        json!({ "proof": BASE64.encode([0; 31]) }),
        json!({ "proof": BASE64.encode([0; 33]) }),
    ] {
        person
            .call("POST", &path, Some(&bad))
            .await
            .problem(400, "invalid_request");
    }
    let right = proof_of(&upload["challenge"], &bytes);
    let answer = person.prove(id(&upload), &right).await.expect(200).json();
    assert_eq!(answer["state"], "complete", "{answer}");
}

/// Sending parts ends the challenge; aborting ends the upload.
#[tokio::test]
async fn a_challenge_that_is_given_up() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    person.sign(id(&upload), 1, &bytes).await;
    is_ordinary(&person, &upload, &bytes).await;

    let other = Person::not_signed_in().await;
    let upload = other.challenged("a", &bytes).await;
    other.complete(id(&upload)).await.problem(409, "parts_missing");
    is_ordinary(&other, &upload, &bytes).await;

    let third = Person::not_signed_in().await;
    let upload = third.challenged("a", &bytes).await;
    third.api.abort_upload(id(&upload)).await.unwrap();
    let right = proof_of(&upload["challenge"], &bytes);
    third
        .prove(id(&upload), &right)
        .await
        .problem(409, "upload_not_open");
    assert_eq!((third.used().await, audit::account(&third).await), (0, 0));
}

/// The name was taken meanwhile: the proof is used up, and the bytes can be sent once the name is free.
#[tokio::test]
async fn a_right_answer_for_a_name_that_is_taken() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let folder = person.api.create_folder("a", None).await.unwrap();
    let right = proof_of(&upload["challenge"], &bytes);
    person.prove(id(&upload), &right).await.problem(409, "name_taken");
    assert_eq!(
        person.api.upload(id(&upload)).await.unwrap().state,
        UploadState::Open
    );
    person.api.delete_file(&folder.id).await.unwrap();
    is_ordinary(&person, &upload, &bytes).await;
    assert_eq!(audit::world(&[&owner, &person], "a taken name").await, 2);
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
    let refused: Answer = put(&signed, other.clone()).await;
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
