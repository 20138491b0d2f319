//! Challenges that are asked for with an idempotency key.

use super::{id, owner_of};
use crate::harness::audit;
use crate::harness::bytes::unique;
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::{PROVABLE, proof_of};
use serde_json::json;

/// A client that did not get the challenge asks again, and gets that one: there is one upload, one reservation, one
/// look-up.
#[tokio::test]
async fn the_same_challenge_for_the_same_key() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let key = format!("{:x}", unique());
    let headers = [("content-type", "application/json"), ("idempotency-key", &key)];
    let body = json!({ "name": "mine", "size": bytes.len(), "content_id": content_id(&bytes) }).to_string();
    let ask = async || -> HttpResponse {
        let answer = person.raw("POST", "/uploads", &headers, body.clone()).await;
        answer.expect(200)
    };
    let first = ask().await;
    let upload = first.json();
    assert_eq!(upload["state"], "proof_required", "{upload}");
    assert_eq!(first.header("idempotency-replayed"), "");
    for _ in 0..2 {
        let again = ask().await;
        assert_eq!(
            again.json()["challenge"],
            upload["challenge"],
            "the same challenge"
        );
        assert_eq!(
            (again.text(), again.header("idempotency-replayed")),
            (first.text(), "true")
        );
        assert_eq!(again.header("location"), first.header("location"));
    }
    assert_eq!(person.api.all_uploads().await.unwrap().len(), 1);
    assert_eq!(
        (person.used().await, person.spent().await),
        (bytes.len() as u64, 1)
    );

    // It can be answered, and what was said then is still what was said.
    let right = proof_of(&upload["challenge"], &bytes);
    let done = person.prove(id(&upload), &right).await.expect(200).json();
    assert_eq!(done["state"], "complete", "{done}");
    assert_eq!(ask().await.text(), first.text());
    assert_eq!(audit::world(&[&owner, &person], "one key").await, 2);
}
