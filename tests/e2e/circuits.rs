//! A target that does not answer has its circuit opened; one that limits its workers gets no more.

use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::proxy::Act;
use crate::harness::sandbox::Sandbox;
use crate::harness::target_proxy::Fate;
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::wait::{TIMEOUT, until};
use crate::harness::workers::{WorkerOptions, Workers};
use client::types::ReplicaState;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A target whose requests have this fate until it is mended.
async fn broken(fate: Fate) -> (TestTarget, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let rule = move |_: &_| {
        if is_mended.load(Ordering::SeqCst) {
            Fate::Pass
        } else {
            fate
        }
    };
    (TestTarget::new(Kind::S3, rule).await, mended)
}

/// An outage that takes longer than a message may be tried: it waits, which does not count, and then all is copied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_nothing() {
    const FILES: usize = 8;
    let (place, mended) = broken(Fate::Refuse).await;
    let partition = format!("TARGET#{}", place.name);
    let fixture = ReplicationFixture::new(vec![place]).await;
    let mut files = Vec::new();
    for number in 0..FILES {
        let bytes = fresh(100);
        files.push((fixture.store(&number.to_string(), &bytes).await, bytes));
    }
    // One more than the probes that may all have been of the same file.
    let max_receives = 6;
    let options = WorkerOptions {
        max_receives,
        ..WorkerOptions::usual(2)
    };
    let workers = Workers::start(&fixture.queues, options);
    let circuit = async || aws::item(&partition, "CIRCUIT").await;
    let open = until("two probes have failed", async || {
        circuit()
            .await
            .filter(|circuit| circuit["trips"].as_u64() >= Some(3))
    })
    .await;
    assert!(
        open["open_until"].is_string() && open["reason"].is_string(),
        "{open}"
    );
    let mut attempts = 0;
    for (stored, _) in &files {
        let replica = fixture.replica(stored, &fixture.places[0]).await;
        assert_eq!(replica.state, ReplicaState::Pending, "{replica:?}");
        assert!(replica.attempts < max_receives, "{replica:?}");
        attempts += replica.attempts as usize;
    }
    // All at once at first, then one for each probe.
    assert!(attempts <= FILES + 4, "{attempts} attempts");
    mended.store(true, Ordering::SeqCst);
    for (stored, _) in &files {
        fixture.available(stored, &fixture.places[0]).await;
    }
    workers.idle().await;
    let closed = circuit().await.unwrap();
    assert_eq!(
        (&closed["failures"], closed.get("open_until")),
        (&0.into(), None),
        "{closed}"
    );
    let files: Vec<(&Stored, &bytes::Bytes)> = files.iter().map(|(stored, bytes)| (stored, bytes)).collect();
    fixture.check(&fixture.places[0], &files, "after an outage").await;
    assert_eq!(fixture.queues.dead_letters().await, []);
    fixture.close().await;
}

/// While a circuit is open what waits for the target costs two reads for each batch and one write for each message, and then
/// nothing: no message, and nothing that the sweep would look at. When it works again all of it gets a message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_target_has_no_message() {
    const FILES: usize = 7;
    let fixture = ReplicationFixture::new(vec![TestTarget::new(Kind::S3, |_| Fate::Pass).await]).await;
    let place = &fixture.places[0];
    let partition = format!("TARGET#{}", place.name);
    let open_until = async |until: &str| {
        let open = json!({
            "pk": partition, "sk": "CIRCUIT", "target": place.name, "failures": 5, "trips": 1, "open_until": until, "probing": false,
            "reason": "an outage", "version": 1,
        });
        aws::put(&open).await;
    };
    open_until("2200-01-01T00:00:00Z").await;
    let mut files = Vec::new();
    for number in 0..FILES {
        let bytes = fresh(100);
        files.push((fixture.store(&number.to_string(), &bytes).await, bytes));
    }
    let mut worker = worker(&fixture).await;
    let (mut messages, mut batches) = (0, 0);
    until("all messages were handed over", async || {
        let some = fixture.queues.hand_over(&mut worker).await;
        (messages, batches) = (messages + some, batches + usize::from(some > 0));
        (messages == FILES).then_some(())
    })
    .await;
    let count = |name: &str| {
        let operations = worker.proxy.operations();
        operations.iter().filter(|operation| *operation == name).count()
    };
    let calls = [
        "GetItem",
        "UpdateItem",
        "BatchGetItem",
        "Query",
        "TransactWriteItems",
    ];
    let calls = calls.map(|name| count(&format!("DynamoDB {name}")));
    // The circuit is read again afterwards: it may have closed meanwhile.
    assert_eq!(
        calls,
        [2 * batches, FILES, 0, 0, 0],
        "{:?}",
        worker.proxy.operations()
    );
    assert_eq!(count("SQS SendMessage") + count("SQS SendMessageBatch"), 0);
    assert_eq!(fixture.queues.waiting().await, 0);
    assert_eq!(place.relay.befallen().len(), 0, "it was asked for something");
    for (stored, _) in &files {
        let (pk, sk) = (format!("BLOB#{}", stored.blob), format!("REPLICA#{}", place.name));
        let row = aws::item(&pk, &sk).await.unwrap();
        assert_eq!(
            (&row["state"], row.get("due_at")),
            (&"pending".into(), None),
            "{row}"
        );
        assert!(row["waiting_shard"].is_string(), "{row}");
    }

    // The next message is the probe.
    open_until("2020-01-01T00:00:00Z").await;
    let bytes = fresh(100);
    files.push((fixture.store("probe", &bytes).await, bytes));
    until("all that waited has arrived", async || {
        fixture.queues.hand_over(&mut worker).await;
        let waiting = aws::items(&partition, "CIRCUIT").await;
        let closed = waiting
            .first()
            .is_some_and(|circuit| circuit.get("open_until").is_none());
        (closed && fixture.queues.waiting().await == 0).then_some(())
    })
    .await;
    for (stored, _) in &files {
        fixture.available(stored, place).await;
    }
    let files: Vec<(&Stored, &bytes::Bytes)> = files.iter().map(|(stored, bytes)| (stored, bytes)).collect();
    fixture.check(place, &files, "after its circuit closed").await;
    assert_eq!(fixture.queues.dead_letters().await, []);
    fixture.close().await;
}

async fn worker(fixture: &ReplicationFixture) -> Sandbox {
    let mut environment = fixture.queues.environment().to_vec();
    environment.push(("MAX_RECEIVES", "4"));
    let mut worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
    worker.set_time(TIMEOUT);
    worker.ready().await;
    worker
}

/// A worker that takes a message and never finishes it. Returns how to kill it.
async fn hangs(fixture: &ReplicationFixture, number: usize) -> impl Fn() + use<> {
    let mut worker = worker(fixture).await;
    let (kill, queues) = (worker.killer(), fixture.queues.clone());
    tokio::spawn(async move { queues.hand_over(&mut worker).await });
    until(&format!("{number} hang"), async || {
        (hanging(fixture) == number).then_some(())
    })
    .await;
    kill
}

/// How many workers are at the target, and get no answer.
fn hanging(fixture: &ReplicationFixture) -> usize {
    let befallen = fixture.places[0].relay.befallen();
    befallen.get("PutObject Hang").copied().unwrap_or_default()
}

/// A worker waits the longer for an answer the larger a file and the slower a target is. These make it wait for longer
/// than the test takes.
const SLOW: u64 = 128 * 1024;
const LARGE: usize = 3 << 20;

/// Which worker has which slot at a target, and until when.
async fn slots(target: &str) -> BTreeMap<String, (String, i64)> {
    let rows = aws::items(&format!("TARGET#{target}"), "SLOT#").await;
    let slots = rows.into_iter().map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("sk"), (text("holder"), row["until"].as_i64().unwrap()))
    });
    slots.collect()
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Two slots: the third worker is turned away, until one of the others has been dead for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_workers_than_a_target_takes() {
    let (mut place, mended) = broken(Fate::Hang).await;
    let target = place.name.clone();
    place.entry["max_workers"] = 2.into();
    place.entry["max_bytes_per_second"] = SLOW.into();
    let fixture = ReplicationFixture::new(vec![place]).await;
    fixture.store("0", &fresh(LARGE)).await;
    let kill = hangs(&fixture, 1).await;
    let deads: Vec<String> = slots(&target).await.into_keys().collect();
    let [dead] = deads.as_slice() else {
        panic!("{deads:?}")
    };
    fixture.store("1", &fresh(LARGE)).await;
    let _alive = hangs(&fixture, 2).await;
    let sent_away = fixture.store("2", &fresh(100)).await;
    let mut third = worker(&fixture).await;
    fixture.queues.hand_over(&mut third).await;
    assert_eq!(hanging(&fixture), 2, "it was let through");
    let tried = third.proxy.operations();
    assert!(
        !tried
            .iter()
            .any(|operation| operation == "DynamoDB TransactWriteItems"),
        "that all places are taken is known without trying them: {tried:?}"
    );
    let state = async |stored: &Stored| {
        let replica = fixture.replica(stored, &fixture.places[0]).await;
        (replica.state, replica.attempts)
    };
    let waiting = (ReplicaState::Pending, 0);
    assert_eq!(state(&sent_away).await, waiting, "to wait is not to fail");

    kill();
    mended.store(true, Ordering::SeqCst);
    let mut held = slots(&target).await;
    let (_, believed) = held.remove(dead).unwrap();
    // Nobody knows yet that it is dead.
    let too_early = fixture.store("3", &fresh(100)).await;
    fixture.queues.hand_over(&mut third).await;
    let found = state(&too_early).await;
    assert!(found == waiting || now() > believed, "{found:?}");
    until("the dead worker's place is another's", async || {
        fixture.queues.hand_over(&mut third).await;
        (state(&sent_away).await.0 == ReplicaState::Available).then_some(())
    })
    .await;
    assert!(
        now() > believed,
        "it was taken from somebody who may have been alive"
    );
    let mut holds = slots(&target).await;
    holds.remove(dead);
    let holders = |slots: BTreeMap<String, (String, i64)>| -> Vec<String> {
        slots.into_values().map(|(holder, _)| holder).collect()
    };
    assert_eq!(holders(holds), holders(held), "the other one is still at it");
    assert_eq!(fixture.queues.dead_letters().await, []);
}
