//! Many who prove that they have the same bytes.

use super::{AT_ONCE, complete, insist};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::{PROVABLE, proof_of};
use futures::future::{join, join_all};
use serde_json::Value;

/// Less than may be under way, with the owner.
const PROVERS: usize = 20;
const _: () = assert!(PROVERS < AT_ONCE);

/// The only file of the bytes is deleted meanwhile. What lives on for a grace period can be had all the same.
#[tokio::test]
async fn twenty_prove_a_blob_whose_owner_deletes_it() {
    let bytes = fresh(PROVABLE + 12_345);
    let owner = Person::not_signed_in().await;
    let first = owner.sent("a", &bytes).await;
    complete(&owner, &first.id).await.expect(200);
    let file = owner.api.all_files(None).await.unwrap().remove(0);
    let content = content_id(&bytes).to_string();
    let blob = audit::blob_of(&content).await.unwrap();

    let people = join_all((0..PROVERS).map(|_| Person::not_signed_in())).await;
    let uploads = join_all(people.iter().map(|person| person.challenged("b", &bytes))).await;
    let prove = async |(person, upload): (&Person, &Value)| {
        let right = proof_of(&upload["challenge"], &bytes);
        insist(async || person.prove(upload["id"].as_str().unwrap(), &right).await).await
    };
    let proofs = join_all(people.iter().zip(&uploads).map(prove));
    let path = format!("/files/{}?permanently=true", file.id);
    let delete = insist(async || owner.call("DELETE", &path, None).await);
    let (answers, deleted): (Vec<HttpResponse>, HttpResponse) = join(proofs, delete).await;
    deleted.expect(204);
    for answer in answers {
        let done = answer.expect(200).json();
        assert_eq!(done["state"], "complete", "{done}");
        assert_eq!(done["file"]["content_id"], content.as_str(), "{done}");
    }

    let now = audit::blob_of(&content).await.unwrap();
    assert_eq!(now["id"], blob["id"], "it is the same blob");
    assert_eq!(now["references"], PROVERS, "{now}");
    assert_eq!(owner.used().await, 0);
    for person in &people {
        assert_eq!(person.used().await, bytes.len() as u64);
    }
    let everybody: Vec<&Person> = people.iter().chain([&owner]).collect();
    assert_eq!(audit::world(&everybody, "proven by twenty").await, PROVERS);
}
