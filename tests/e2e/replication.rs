//! Every file gets to every target, whatever these are. What a target must survive is tested in `real_ceph`.

use crate::harness::bytes::{PART, fresh};
use crate::harness::person::Person;
use crate::harness::stack::stack;
use crate::harness::wait::until;
use client::types::ReplicaState;

#[tokio::test]
async fn a_file_gets_to_every_target() {
    let person = Person::new().await;
    for (name, size) in [("empty", 0), ("small", 1000), ("large", 2 * PART + 1)] {
        let file = person.store(name, None, &fresh(size)).await.file;
        let replicas = until("every replica is available", async || {
            let replicas = person.api.file(&file.id).await.unwrap().replicas.unwrap();
            let there = replicas
                .iter()
                .all(|replica| replica.state == ReplicaState::Available);
            there.then_some(replicas)
        })
        .await;
        assert_eq!(replicas.len(), stack().targets.len());
        for replica in replicas {
            assert_eq!(replica.bytes_done, size as u64, "{replica:?}");
        }
    }
}
