//! The gateway dies, the target refuses.

use super::{available, is_there, replica};
use crate::harness::aws;
use crate::harness::bytes::{MIB, fresh, unique};
use crate::harness::ceph;
use crate::harness::person::Person;
use crate::harness::stack::stack;
use crate::harness::wait::until;
use client::types::{Node, ReplicaState};
use serde_json::{Value, json};
use std::time::Duration;

/// `kill -9` of the gateway in the middle of a copy. It is started again, and the copy is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_is_killed_in_mid_copy() {
    let _gateway = ceph::alone().await;
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

/// The row of a replica at another target, as finalizing writes it.
async fn add_replica(blob: &str, target: &str) {
    let pk = format!("BLOB#{blob}");
    aws::put(&json!({
        "pk": pk, "sk": format!("REPLICA#{target}"), "blob": blob, "target": target, "kind": "ceph",
        "state": "pending", "bytes_done": 0, "segments_done": 0, "attempts": 0,
        "updated_at": "2026-01-01T00:00:00Z", "due_shard": "0", "due_at": 4_102_444_800_u64,
    }))
    .await;
    start(blob, target).await;
}

async fn start(blob: &str, target: &str) {
    aws::send_message(&json!({ "step": "start", "blob": blob, "target": target }).to_string()).await;
}

async fn blob_of(person: &Person, file: &Node) -> String {
    let row = aws::item(&person.partition(), &format!("NODE#{}", file.id))
        .await
        .unwrap();
    row["file"]["blob"].as_str().unwrap().to_owned()
}

/// A target that refuses for good: the replica says why, its message is among the dead letters, and once the target is
/// mended it can be sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_refuses() {
    let _gateway = ceph::in_use().await;
    let person = Person::new().await;
    let bytes = fresh(20 * MIB);
    let file = person.store("a", None, &bytes).await.file;
    available(&person, &file).await;

    let id = unique();
    let names = ["bucket", "keys", "address"].map(|what| format!("no-{what}-{id:x}"));
    let secret = aws::secret(&stack().targets_secret_id).await;
    let good = secret["targets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|target| target["name"] == super::TARGET)
        .unwrap()
        .clone();
    let broken = |name: &str, member: &str, value: &str| {
        let mut target = good.clone();
        target["name"] = json!(name);
        target[member] = json!(value);
        target
    };
    let bucket = format!("later-{id:x}");
    let with: Vec<Value> = [
        broken(&names[0], "bucket", &bucket),
        broken(&names[1], "secret_access_key", "not the key"),
        broken(&names[2], "endpoint", "http://127.0.0.1:9"),
    ]
    .into_iter()
    .chain(secret["targets"].as_array().unwrap().iter().cloned())
    .collect();
    aws::put_secret(&stack().targets_secret_id, &json!({ "targets": with })).await;
    // Workers believe what they know of the targets for half a minute.
    tokio::time::sleep(Duration::from_secs(32)).await;

    let blob = blob_of(&person, &file).await;
    for name in &names {
        add_replica(&blob, name).await;
    }
    for (name, reason) in names
        .iter()
        .zip(["NoSuchBucket", "SignatureDoesNotMatch", "failed"])
    {
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
        assert!(failed.attempts >= 2, "{name}: {}", failed.attempts);
        until(
            &format!("{name}: the message is among the dead letters"),
            async || {
                let letters = aws::dead_letters().await;
                letters
                    .iter()
                    .any(|letter| letter.contains(&blob) && letter.contains(name.as_str()))
                    .then_some(())
            },
        )
        .await;
    }

    ceph::boto3(&["make-bucket", &bucket]);
    start(&blob, &names[0]).await;
    let mended = until("the mended target has it", async || {
        let replica = replica(&person, &file, &names[0]).await;
        (replica.state == ReplicaState::Available).then_some(replica)
    })
    .await;
    assert_eq!((mended.last_error, mended.bytes_done), (None, bytes.len() as u64));
    aws::put_secret(&stack().targets_secret_id, &secret).await;
}
