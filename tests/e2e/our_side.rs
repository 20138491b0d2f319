//! What fails on our own side, not at a target, does not count as an attempt: nobody can do anything about it there.

use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::Sandbox;
use crate::harness::target_proxy::Fate;
use crate::harness::test_targets::{Kind, ReplicationFixture, TestTarget};
use crate::harness::wait::until;
use bytes::Bytes;
use client::types::ReplicaState;
use jiff::Timestamp;

/// What a worker asks of AWS for a small file: what is written about it, its bytes, and where it says that they arrived.
const CALLS: [&str; 4] = [
    "DynamoDB BatchGetItem",
    "DynamoDB GetItem",
    "S3 GetObject",
    "DynamoDB TransactWriteItems",
];
/// For how long the sweep takes a message's word that something happens, in seconds.
const STALLED_AFTER: i64 = 20 * 60;

async fn worker(
    fixture: &ReplicationFixture,
    rule: impl Fn(&Seen) -> Act + Send + Sync + 'static,
) -> Sandbox {
    let mut environment = fixture.queues.environment().to_vec();
    // What counts fails at once.
    environment.push(("MAX_RECEIVES", "1"));
    Sandbox::start_with("replicate", rule, &environment).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_there_does_not_count() {
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::S3, |_| Fate::Pass).await]).await;
    let place = &fixture.places[0];
    let partition = format!("TARGET#{}", place.name);
    let mut files = Vec::new();
    for (number, call) in (1..).zip(CALLS) {
        let bytes: Bytes = fresh(100);
        let stored = fixture.store(call, &bytes).await;
        let rule = move |seen: &Seen| {
            if seen.operation == call {
                Act::Refuse
            } else {
                Act::Pass
            }
        };
        let mut worker = worker(&fixture, rule).await;
        assert_eq!(fixture.queues.hand_over(&mut worker).await, 1, "{call}");
        assert!(
            worker.proxy.operations().iter().any(|seen| seen == call),
            "{call} was not made"
        );
        let replica = fixture.replica(&stored, place).await;
        assert_eq!(
            (replica.state, replica.attempts, replica.last_error),
            (ReplicaState::Pending, 0, None),
            "{call}"
        );
        assert_eq!(
            fixture.queues.waiting().await,
            number,
            "{call}: its message waits"
        );
        assert_eq!(
            fixture.queues.hand_over(&mut worker).await,
            0,
            "{call}: not at once"
        );
        let (pk, sk) = (format!("BLOB#{}", stored.blob), format!("REPLICA#{}", place.name));
        let row = aws::item(&pk, &sk).await.unwrap();
        let due = row["due_at"].as_i64().unwrap() - Timestamp::now().as_second();
        assert!(
            due > STALLED_AFTER,
            "{call}: the sweep knows that there is one, {due}"
        );
        let circuit = aws::item(&partition, "CIRCUIT").await;
        assert_eq!(circuit, None, "{call}: the target is not to blame");
        files.push((stored, bytes));
    }
    let mut worker = worker(&fixture, |_| Act::Pass).await;
    until("all have arrived", async || {
        fixture.queues.hand_over(&mut worker).await;
        (fixture.queues.waiting().await == 0).then_some(())
    })
    .await;
    let files: Vec<_> = files.iter().map(|(stored, bytes)| (stored, bytes)).collect();
    fixture.check(place, &files, "after our own failures").await;
    assert_eq!(fixture.queues.dead_letters().await, []);
    fixture.close().await;
}
