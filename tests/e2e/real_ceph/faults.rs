//! The gateway dies, the target refuses.

use super::{available, is_there, replica};
use crate::harness::aws;
use crate::harness::bytes::{MIB, fresh, unique};
use crate::harness::ceph;
use crate::harness::person::Person;
use crate::harness::stack::stack;
use crate::harness::targets;
use crate::harness::wait::until;
use client::types::{Node, ReplicaState};
use serde_json::{Value, json};

/// `kill -9` of the gateway in the middle of a copy. It is started again, and the copy is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_is_killed_in_mid_copy() {
    let person = Person::new().await;
    let bytes = fresh(256 * MIB);
    let file = person.store("a", None, &bytes).await.file;
    let halfway = until("some of it is copied", async || {
        let replica = replica(&person, &file, super::TARGET).await;
        (replica.state != ReplicaState::Pending).then_some(replica)
    })
    .await;
    ceph::control(&["kill", "gateway"]);
    assert_eq!(
        halfway.state,
        ReplicaState::Copying,
        "it was too fast to be killed half-way: {halfway:?}"
    );
    // The workers notice; how often they try meanwhile is their business.
    until("an attempt has failed", async || {
        let replica = replica(&person, &file, super::TARGET).await;
        assert_ne!(replica.state, ReplicaState::Available);
        replica.last_error.is_some().then_some(())
    })
    .await;
    ceph::control(&["start"]);
    let key = available(&person, &file).await;
    is_there(&key, &bytes);
    let shown = replica(&person, &file, super::TARGET).await;
    assert_eq!(shown.last_error, None, "{shown:?}");
    assert!(shown.attempts > 0);
}

/// Targets that refuse permanently fail at once, one that does not answer after some attempts: the replica says why, and its
/// message is among the dead letters. Once a target is mended it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_that_refuse() {
    let person = Person::new().await;
    person.become_operator().await;
    let id = unique();
    let names = ["bucket", "keys", "address"].map(|what| format!("no-{what}-{id:x}"));
    let secret = aws::secret(&stack().targets_secret_id).await;
    let targets = secret["targets"].as_array().unwrap();
    let good = targets
        .iter()
        .find(|target| target["name"] == super::TARGET)
        .unwrap();
    let broken = |name: &str, member: &str, value: &str| {
        let mut target = good.clone();
        target["name"] = json!(name);
        // No two targets are the same place.
        target["prefix"] = json!(format!("{name}/"));
        target[member] = json!(value);
        target
    };
    let bucket = format!("later-{id:x}");
    let broken = [
        broken(&names[0], "bucket", &bucket),
        broken(&names[1], "secret_access_key", "not the key"),
        broken(&names[2], "endpoint", "http://127.0.0.1:9"),
    ];
    let targets = targets::only_for(&person.id, &broken).await;
    let bytes = fresh(20 * MIB);
    let file = person.store("a", None, &bytes).await.file;
    let blob = blob_of(&person, &file).await;
    for (name, reason, permanent) in [
        (&names[0], "NoSuchBucket", true),
        (&names[1], "SignatureDoesNotMatch", true),
        (&names[2], "failed", false),
    ] {
        let failed = until(&format!("{name} has failed"), async || {
            let replica = replica(&person, &file, name).await;
            assert_ne!(replica.state, ReplicaState::Available);
            (replica.state == ReplicaState::Failed).then_some(replica)
        })
        .await;
        let error = failed.last_error.unwrap();
        assert!(
            error.contains(name.as_str()) && error.contains(reason),
            "{name}: {error}"
        );
        assert_eq!(
            failed.attempts == 1,
            permanent,
            "{name}: {} attempts",
            failed.attempts
        );
        let letter = until(
            &format!("{name}: the message is among the dead letters"),
            async || {
                let letters = aws::dead_letters().await.into_iter();
                let mut mine = letters.filter(|letter| letter.body.contains(name.as_str()));
                mine.find(|letter| letter.body.contains(&blob))
            },
        )
        .await;
        // Operators are told all that is known.
        assert!(
            letter.reason.contains(name.as_str()) && letter.reason.contains(reason),
            "{name}: {}",
            letter.reason
        );
        assert_eq!(letter.tried, failed.attempts.to_string());
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!(body, json!({ "step": "start", "blob": blob, "target": name }));
    }

    ceph::boto3(&["make-bucket", &bucket]);
    assert_eq!(person.api.redrive(&names[0]).await.unwrap().redriven, 1);
    let mended = until("the mended target has it", async || {
        let replica = replica(&person, &file, &names[0]).await;
        (replica.state == ReplicaState::Available).then_some(replica)
    })
    .await;
    assert_eq!((mended.last_error, mended.bytes_done), (None, bytes.len() as u64));
    targets.remove().await;
}

async fn blob_of(person: &Person, file: &Node) -> String {
    let row = aws::item(&person.partition(), &format!("NODE#{}", file.id))
        .await
        .unwrap();
    row["file"]["blob"].as_str().unwrap().to_owned()
}
