//! Replication to OSS by the deployed workers: what arrives there, as OSS's own clients see it.

use crate::harness::aws;
use crate::harness::bytes::{MIB, PART, fresh};
use crate::harness::oss::{Client, Oss};
use crate::harness::person::Person;
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::targets;
use crate::harness::wait::until;
use client::types::{Node, Replica, ReplicaState};
use serde_json::json;

/// Waits until the file's replica, the only one that its owner's policy asks for, is available.
async fn available(person: &Person, file: &Node) -> Replica {
    until("the replica is available", async || {
        let mut replicas = person.api.file(&file.id).await.unwrap().replicas.unwrap();
        assert_eq!(replicas.len(), 1, "{replicas:?}");
        let replica = replicas.remove(0);
        assert_ne!(replica.state, ReplicaState::Failed, "{replica:?}");
        (replica.state == ReplicaState::Available).then_some(replica)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_arrive_and_are_reclaimed() {
    let oss = Oss::start();
    let mut entry = oss.entry();
    let name = targets::new_name("oss");
    entry["name"] = json!(name);
    entry["prefix"] = json!("longshore/");
    let person = Person::new().await;
    let target = targets::only_for(&person.id, &[entry]).await;
    let folder = tempfile::tempdir().unwrap();
    // Not an empty one: everybody's empty files are one blob.
    for size in [1, 1000, PART, PART + 1, 70 * MIB] {
        let bytes = fresh(size);
        let file = person.store(&format!("{size}"), None, &bytes).await.file;
        let replica = available(&person, &file).await;
        assert_eq!(
            (replica.target.as_str(), replica.bytes_done),
            (name.as_str(), size as u64)
        );
        let key = replica.key.unwrap();
        for client in [Client::Oss2, Client::V2, Client::AliOss] {
            let path = folder.path().join(format!("{client:?}"));
            oss.download(client, &key, &path);
            assert!(
                std::fs::read(&path).unwrap() == bytes,
                "{client:?}: other bytes of {size}"
            );
        }
        assert_eq!(oss.multipart_uploads(&key), 0);
        let row = aws::item(&person.partition(), &format!("NODE#{}", file.id))
            .await
            .unwrap();
        let pk = format!("BLOB#{}", row["file"]["blob"].as_str().unwrap());
        let row = aws::item(&pk, &format!("REPLICA#{name}")).await.unwrap();
        assert_eq!(row["checksum"], oss.head(&key).unwrap()["crc64"], "{row}");

        person.api.delete_file(&file.id).await.unwrap();
        let sweep = PrivateSweep::new();
        // It is marked, and then reclaimed.
        for _ in 0..2 {
            sweep.take(&pk, "BLOB", &json!({})).await;
            sweep.run().await;
        }
        assert_eq!(aws::partition(&pk).await, [json!(null); 0]);
        assert_eq!(oss.head(&key), None);
    }
    target.remove().await;
}
