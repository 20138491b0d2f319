//! Functions with other settings than are deployed, and blobs that go while somebody answers.

use super::{id, is_ordinary, owner_of};
use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, from_address, http_event, new_address};
use crate::harness::wait::within_one_hour;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Announces bytes to a function with settings of its own, from a new address. Returns status and body.
async fn announce(function: &mut Sandbox, person: &Person, name: &str, bytes: &[u8]) -> (u64, Value) {
    announce_at(&new_address(), function, person, name, bytes).await
}

async fn announce_at(
    address: &str,
    function: &mut Sandbox,
    person: &Person,
    name: &str,
    bytes: &[u8],
) -> (u64, Value) {
    let body = json!({ "name": name, "size": bytes.len(), "content_id": content_id(bytes) });
    let event = http_event("upload-create", None, &person.token, Some(&body));
    let answer = function.invoke(&from_address(event, address)).await.unwrap();
    let view = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), view)
}

fn members(view: &Value) -> BTreeSet<&String> {
    view.as_object().unwrap().keys().collect()
}

/// An account that has used up its allowance is told the same about contents that are stored as about those that are not.
async fn allowance(limit: &str, look_ups: usize) {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let environment = [("INSTANT_ATTEMPTS_PER_HOUR", limit)];
    let mut function = Sandbox::start_with("upload-create", |_| Act::Pass, &environment).await;
    for number in 0..look_ups {
        // Asking for what is not there costs as much.
        let (asked, expected) = if number % 2 == 0 {
            (bytes.clone(), (200, json!("proof_required")))
        } else {
            (fresh(PROVABLE), (201, json!("open")))
        };
        let (status, view) = announce(&mut function, &person, &format!("{number}"), &asked).await;
        assert_eq!((status, view["state"].clone()), expected, "{view}");
    }
    let (status, known) = announce(&mut function, &person, "known", &bytes).await;
    assert_eq!((status, &known["state"]), (201, &json!("open")), "{known}");
    let (status, unknown) = announce(&mut function, &person, "unknown", &fresh(PROVABLE)).await;
    assert_eq!((status, &unknown["state"]), (201, &json!("open")), "{unknown}");
    assert_eq!(members(&known), members(&unknown), "nothing tells them apart");
    // It is an upload all the same.
    person.send_parts(id(&known), &bytes, [1]).await;
    person.complete(id(&known)).await.expect(200);
    audit::account(&person).await;
}

#[tokio::test]
async fn an_allowance_that_is_used_up() {
    within_one_hour(async || allowance("4", 4).await).await;
}

/// Many accounts at one address may ask ten times as often together as one of them, and not more often.
#[tokio::test]
async fn many_accounts_at_one_source() {
    within_one_hour(async || {
        let (_owner, bytes) = owner_of(PROVABLE).await;
        let environment = [("INSTANT_ATTEMPTS_PER_HOUR", "1")];
        let mut function = Sandbox::start_with("upload-create", |_| Act::Pass, &environment).await;
        let (here, there) = (new_address(), new_address());
        let mut ask = async |address: &str| {
            let person = Person::not_signed_in().await;
            let (_, view) = announce_at(address, &mut function, &person, "a", &bytes).await;
            view["state"].as_str().unwrap().to_owned()
        };
        for _ in 0..10 {
            assert_eq!(ask(&here).await, "proof_required");
        }
        assert_eq!(ask(&here).await, "open");
        assert_eq!(ask(&there).await, "proof_required");
    })
    .await;
}

/// A wrong answer costs ten times as much as a look-up.
#[tokio::test]
async fn wrong_answers_cost_more() {
    let (_owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    assert_eq!(person.spent().await, 1);
    let wrong = proof_of(&upload["challenge"], &vec![1; bytes.len()]);
    person.prove(id(&upload), &wrong).await.expect(200);
    assert_eq!(person.spent().await, 11);
    // Answered again it costs nothing: it is the same answer.
    person.prove(id(&upload), &wrong).await.expect(200);
    assert_eq!(person.spent().await, 11);
    let upload = person.challenged("b", &bytes).await;
    let right = proof_of(&upload["challenge"], &bytes);
    person.prove(id(&upload), &right).await.expect(200);
    assert_eq!(person.spent().await, 12);
}

/// With blobs per account nobody is asked for a proof, and nothing is shared.
#[tokio::test]
async fn contents_that_are_kept_per_account() {
    const SCOPE: [(&str, &str); 1] = [("DEDUP_SCOPE", "account")];
    let bytes = fresh(PROVABLE);
    let content = content_id(&bytes).to_string();
    let people = [Person::not_signed_in().await, Person::not_signed_in().await];
    let mut create = Sandbox::start_with("upload-create", |_| Act::Pass, &SCOPE).await;
    let mut complete = Sandbox::start_with("upload-complete", |_| Act::Pass, &SCOPE).await;
    let mut blobs = BTreeSet::new();
    for person in &people {
        let (status, upload) = announce(&mut create, person, "a", &bytes).await;
        assert_eq!((status, &upload["state"]), (201, &json!("open")), "{upload}");
        person.send_parts(id(&upload), &bytes, [1]).await;
        let event = http_event("upload-complete", Some(id(&upload)), &person.token, None);
        let answer = complete.invoke(&event).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{answer}");
        // What the account has itself is there at once all the same.
        let (status, upload) = announce(&mut create, person, "b", &bytes).await;
        assert_eq!((status, &upload["state"]), (201, &json!("complete")), "{upload}");
        let pk = format!("CONTENT#{content}#{}", person.id);
        let index = aws::item(&pk, "CONTENT").await.expect("an index of its own");
        blobs.insert(index["blob"].as_str().unwrap().to_owned());
    }
    assert_eq!(blobs.len(), 2, "each has a blob of its own");
    assert_eq!(audit::blob_of(&content).await, None, "nothing is everybody's");
    assert_eq!(
        audit::world(&[&people[0], &people[1]], "kept per account").await,
        4
    );
}

/// The last file of the bytes was deleted, and the blob is being reclaimed, when the right answer comes: it returns nothing that
/// is about to go.
#[tokio::test]
async fn a_right_answer_about_bytes_that_are_going() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    let file = owner.api.all_files(None).await.unwrap().remove(0);
    owner.api.delete_file(&file.id).await.unwrap();
    let (sweep, pk) = (
        PrivateSweep::new(),
        format!("BLOB#{}", blob["id"].as_str().unwrap()),
    );
    sweep.take(&pk, "BLOB", &json!({})).await;
    sweep.run().await;
    assert_eq!(aws::item(&pk, "BLOB").await.unwrap()["reclaiming"], true);

    let right = proof_of(&upload["challenge"], &bytes);
    let answer = person.prove(id(&upload), &right).await.expect(200).json();
    assert_eq!(answer["state"], "open", "{answer}");
    is_ordinary(&person, &upload, &bytes).await;
    let anew = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    assert_ne!(anew["id"], blob["id"]);
    sweep.take(&pk, "BLOB", &json!({})).await;
    sweep.run().await;
    assert_eq!(aws::partition(&pk).await, [json!(null); 0]);
    assert_eq!(audit::world(&[&owner, &person], "bytes that were going").await, 1);
}

/// The same during the grace period: a client with the bytes revives them.
#[tokio::test]
async fn a_right_answer_about_bytes_without_files() {
    let (owner, bytes) = owner_of(PROVABLE).await;
    let person = Person::not_signed_in().await;
    let upload = person.challenged("a", &bytes).await;
    let file = owner.api.all_files(None).await.unwrap().remove(0);
    owner.api.delete_file(&file.id).await.unwrap();
    let right = proof_of(&upload["challenge"], &bytes);
    let answer = person.prove(id(&upload), &right).await.expect(200).json();
    assert_eq!(answer["state"], "complete", "{answer}");
    let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
    let (sweep, pk) = (
        PrivateSweep::new(),
        format!("BLOB#{}", blob["id"].as_str().unwrap()),
    );
    sweep.take(&pk, "BLOB", &json!({})).await;
    sweep.run().await;
    assert_eq!(audit::world(&[&owner, &person], "revived").await, 1);
    let file = person.api.all_files(None).await.unwrap().remove(0);
    assert_eq!(person.fetch(&file).await, bytes);
}
