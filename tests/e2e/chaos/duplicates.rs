//! SQS delivers each message at least once, in no order. Here each comes three times, to several workers, shuffled.

use crate::harness::bytes::{MIB, PART, fresh};
use crate::harness::target_proxy::Fate;
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::workers::{WorkerOptions, Workers};
use bytes::Bytes;
use futures::future::join_all;

/// In which order: others come in the simulation.
const SEED: u64 = 1;

/// Several files of each kind that there is to copy, by workers that get every message three times.
async fn three_times(kinds: &[Kind]) {
    let places = join_all(kinds.iter().map(|kind| TestTarget::new(*kind, |_| Fate::Pass))).await;
    let fixture = ReplicationFixture::new(places).await;
    let mut files: Vec<(Stored, Bytes)> = Vec::new();
    // Small ones, one whole part, several parts in one segment, several segments.
    for size in [1, 1000, PART, PART + 1, 130 * MIB] {
        let bytes = fresh(size);
        files.push((fixture.store(&format!("{size}"), &bytes).await, bytes));
    }
    let workers = Workers::start(
        &fixture.queues,
        WorkerOptions {
            deliveries: 3,
            seed: SEED,
            ..WorkerOptions::usual(3)
        },
    );
    for place in &fixture.places {
        for (stored, _) in &files {
            fixture.available(stored, place).await;
        }
    }
    workers.idle().await;
    let files: Vec<(&Stored, &Bytes)> = files.iter().map(|(stored, bytes)| (stored, bytes)).collect();
    for place in &fixture.places {
        fixture.check(place, &files, "three times").await;
    }
    assert!(fixture.queues.dead_letters().await.is_empty());
    // Of five files at each place: a start for all; three segments, one, and their ends.
    let least = 3 * kinds.len() * (5 + 4 + 2);
    println!("{} deliveries, at least {least}", workers.delivered());
    assert!(workers.delivered() >= least);
    workers.stop().await;
    fixture.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_three_times_in_any_order() {
    three_times(&[Kind::Oss, Kind::S3]).await;
}

mod real_ceph {
    use super::{Kind, three_times};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_message_three_times_in_any_order() {
        three_times(&[Kind::Ceph]).await;
    }
}
