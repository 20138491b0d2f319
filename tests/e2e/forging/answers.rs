//! Answers to challenges: of somebody else, late, twice, at the same time, and none.

use super::{id, is_ordinary, owner_of};
use crate::harness::audit;
use crate::harness::person::Person;
use crate::harness::proof::{PROVABLE, proof_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::types::UploadState;
use futures::future::join_all;
use serde_json::{Value, json};

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

    // Bob can neither answer Ann's challenge nor see it.
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
