//! Replication to a real Ceph: what arrives there, and what happens when things go wrong on the way.
//!
//! What is at the target is read with boto3, as any other client would.

mod big_file;
mod faults;
mod messages;

use crate::harness::bytes::{MIB, PART, fresh};
use crate::harness::ceph;
use crate::harness::person::Person;
use crate::harness::wait::until;
use client::types::{Node, Replica, ReplicaState};

/// Of several targets, the real one.
const TARGET: &str = "ceph";

/// The file's replica at a target.
async fn replica(person: &Person, file: &Node, target: &str) -> Replica {
    let shown = person.api.file(&file.id).await.unwrap();
    let found = shown
        .replicas
        .unwrap()
        .into_iter()
        .find(|replica| replica.target == target);
    found.unwrap_or_else(|| panic!("no replica at {target}"))
}

/// Waits until the file's replica is available, and returns its key.
async fn available(person: &Person, file: &Node) -> String {
    let replica = until("the replica is available", async || {
        let replica = replica(person, file, TARGET).await;
        assert_ne!(replica.state, ReplicaState::Failed, "{replica:?}");
        (replica.state == ReplicaState::Available).then_some(replica)
    })
    .await;
    assert_eq!(replica.bytes_done, file.size.unwrap());
    replica.key.expect("an available replica has a key")
}

/// Checks that the target has these bytes, and nothing that was only needed on the way.
fn is_there(key: &str, bytes: &[u8]) {
    assert!(ceph::object(key) == bytes, "other bytes at the target");
    assert_eq!(ceph::multipart_uploads(key), 0, "a multipart upload is left");
}

async fn arrives(size: usize) {
    let person = Person::new().await;
    let bytes = fresh(size);
    let file = person.store("a", None, &bytes).await.file;
    let key = available(&person, &file).await;
    is_there(&key, &bytes);
}

#[tokio::test]
async fn an_empty_file_arrives() {
    arrives(0).await;
}

#[tokio::test]
async fn a_small_file_arrives() {
    arrives(1000).await;
}

#[tokio::test]
async fn a_file_of_one_part_arrives() {
    arrives(PART).await;
}

#[tokio::test]
async fn a_file_of_two_parts_arrives() {
    arrives(PART + 1).await;
}

#[tokio::test]
async fn a_file_of_several_segments_arrives() {
    arrives(150 * MIB).await;
}

/// A file that shares its bytes shares their copies.
#[tokio::test]
async fn an_instant_upload_has_its_replicas_already() {
    let person = Person::new().await;
    let bytes = fresh(1000);
    let first = person.store("a", None, &bytes).await.file;
    let key = available(&person, &first).await;
    let second = person.store("b", None, &bytes).await.file;
    let replicas = second.replicas.unwrap();
    assert_eq!(
        (replicas[0].state, replicas[0].key.as_ref()),
        (ReplicaState::Available, Some(&key))
    );
}
