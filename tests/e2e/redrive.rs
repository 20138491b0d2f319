//! Having failed replicas tried again, with a fault at every remote call: none is forgotten, none is counted twice, and no
//! dead letter stays for ever.

use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::target_proxy::Fate;
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::wait::until;
use crate::harness::world::World;
use client::types::ReplicaState;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const WAYS: [Act; 5] = [
    Act::KillBefore,
    Act::KillAfter,
    Act::LoseAnswer,
    Act::Refuse,
    Act::FailAfter,
];

struct Case {
    fixture: ReplicationFixture,
    /// Whether the target refuses what it is asked for.
    refuses: Arc<AtomicBool>,
    worker: Sandbox,
}

/// A target that refuses what it is asked for as long as this says so.
async fn place(refuses: &Arc<AtomicBool>) -> TestTarget {
    let refusing = Arc::clone(refuses);
    let rule = move |_: &_| {
        if refusing.load(Ordering::SeqCst) {
            Fate::Refuse
        } else {
            Fate::Pass
        }
    };
    TestTarget::new(Kind::S3, rule).await
}

impl Case {
    async fn new() -> Self {
        let refuses = Arc::new(AtomicBool::new(false));
        let places = vec![place(&refuses).await];
        Self::at(places, refuses).await
    }

    async fn at(places: Vec<TestTarget>, refuses: Arc<AtomicBool>) -> Self {
        let fixture = ReplicationFixture::new(places).await;
        fixture.person.become_operator().await;
        let mut environment = fixture.queues.environment().to_vec();
        // The first failure is the last attempt.
        environment.push(("MAX_RECEIVES", "1"));
        let worker = Sandbox::start_with("replicate", |_| Act::Pass, &environment).await;
        Self {
            fixture,
            refuses,
            worker,
        }
    }

    fn place(&self) -> &TestTarget {
        &self.fixture.places[0]
    }

    /// A file whose replica failed.
    async fn failed(&mut self, name: &str) -> Stored {
        self.refuses.store(true, Ordering::SeqCst);
        let stored = self.fixture.store(name, &fresh(100)).await;
        let messages = self.fixture.queues.hand_over(&mut self.worker).await;
        assert_eq!(messages, self.fixture.places.len(), "{name}");
        self.refuses.store(false, Ordering::SeqCst);
        let replica = self.fixture.replica(&stored, self.place()).await;
        assert_eq!(
            (replica.state, replica.attempts),
            (ReplicaState::Failed, 1),
            "{name}: {replica:?}"
        );
        stored
    }

    /// Asks once, with this done to the calls.
    async fn redrive(&self, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> (Sandbox, Option<Value>) {
        let environment = self.fixture.queues.environment();
        let mut function = Sandbox::start_with("target-redrive", rule, &environment).await;
        let name = self.place().name.as_str();
        let event = http_event("target-redrive", Some(name), &self.fixture.person.token, None);
        let answer = function.invoke(&event).await;
        // A short poll overlooks letters.
        let polls = function.proxy.seen().into_iter();
        let short = polls
            .filter(|seen| seen.operation == "SQS ReceiveMessage")
            .find(|seen| !seen.is_about(&["WaitTimeSeconds".to_owned()]));
        assert!(short.is_none(), "{short:?}");
        (function, answer)
    }

    /// Whether the sweep looks at the replica, and not much later than when messages are taken for lost.
    async fn is_due_in_time(&self, stored: &Stored) -> bool {
        let sk = format!("REPLICA#{}", self.place().name);
        let row = aws::item(&format!("BLOB#{}", stored.blob), &sk).await.unwrap();
        let due = row["due_at"].as_i64();
        row["due_shard"].is_string() && due.is_some_and(|due| due < Timestamp::now().as_second() + 21 * 60)
    }

    /// Asks as a client without an answer would, and works until all is copied.
    async fn arrives(&mut self, stored: &Stored, what: &str) {
        let (_, answer) = self.redrive(|_| Act::Pass).await;
        assert_eq!(answer.unwrap()["statusCode"], 200, "{what}");
        let replica = self.fixture.replica(stored, self.place()).await;
        if replica.state != ReplicaState::Available && self.fixture.queues.waiting().await == 0 {
            // The redrive died before there was a message, and the sweep sends one in time.
            assert!(
                self.is_due_in_time(stored).await,
                "{what}: nobody will send a message"
            );
            self.fixture.queues.start(&stored.blob, &self.place().name).await;
        }
        until(&format!("{what}: it arrives"), async || {
            self.fixture.queues.hand_over(&mut self.worker).await;
            let replica = self.fixture.replica(stored, &self.fixture.places[0]).await;
            (replica.state == ReplicaState::Available).then_some(())
        })
        .await;
        self.fixture.check_row(stored, self.place(), what).await;
    }
}

/// One way in which one call fails, and what to call it.
struct Fault {
    call: usize,
    way: Act,
    what: String,
}

/// One way in so many in which calls can fail is tried here: all are in the simulation (`crates/simulation/tests/faults`). The number
/// of ways is no multiple of it.
const ONE_IN: usize = 3;

/// Some of the ways in which these calls can fail, from the first to the last.
fn faults(operations: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let call = index + 1;
        let reads = ["Get", "Query", "Receive"]
            .iter()
            .any(|verb| operation.contains(verb));
        for way in WAYS.into_iter().filter(|way| !reads || *way == Act::Refuse) {
            let what = format!("{way:?} at call {call}, {operation}");
            faults.push(Fault { call, way, what });
        }
    }
    faults.into_iter().step_by(ONE_IN).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_while_failed_replicas_are_tried_again() {
    /// How many targets are there, each with queues, a person and a worker of its own, and a share of the faults.
    const AT_ONCE: usize = 4;
    let mut case = Case::new().await;
    let stored = case.failed("without a fault").await;
    let (function, answer) = case.redrive(|_| Act::Pass).await;
    let body: Value = serde_json::from_str(answer.unwrap()["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "redriven": 1, "more": false }));
    let operations = function.proxy.operations();
    println!("{operations:?}");
    assert!(operations.len() >= 10, "{operations:?}");
    case.arrives(&stored, "without a fault").await;
    assert_eq!(case.fixture.queues.dead_letters().await, [], "its letter is gone");
    case.fixture.close().await;

    let faults = faults(&operations);
    let shares = faults.chunks(faults.len().div_ceil(AT_ONCE));
    join_all(shares.map(one_after_the_other)).await;
    println!("{} faults", faults.len());
}

/// Faults at one target, a file each.
async fn one_after_the_other(faults: &[Fault]) {
    let mut case = Case::new().await;
    for Fault { call, way, what } in faults {
        let stored = case.failed(what).await;
        let (call, way) = (*call, *way);
        let rule = move |seen: &Seen| if seen.call == call { way } else { Act::Pass };
        let (_, answer) = case.redrive(rule).await;
        if let Some(answer) = answer {
            let status = answer["statusCode"].as_u64();
            assert!(
                answer.get("error").is_some() || matches!(status, Some(200 | 503)),
                "{what}: {answer}"
            );
        }
        case.arrives(&stored, what).await;
    }
    let (place, files) = (case.place(), i64::try_from(faults.len()).unwrap());
    assert_eq!(
        (
            place.counters("available").await,
            place.counters("available_bytes").await
        ),
        (files, files * 100)
    );
    assert_eq!(
        (place.counters("failed").await, place.counters("pending").await),
        (0, 0)
    );
    // Letters that were taken out when their function died are back after half a minute, and of no use any more.
    until("no dead letters are left", async || {
        case.redrive(|_| Act::Pass).await.1.unwrap();
        (case.fixture.queues.dead_letter_count().await == 0).then_some(())
    })
    .await;
    case.fixture.close().await;
}

/// A worker that dies while it dead-letters a message leaves a failed replica. The message is redelivered, and then dead-lettered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_come_though_a_worker_dies_before_it_sends_them() {
    let mut case = Case::new().await;
    case.refuses.store(true, Ordering::SeqCst);
    let mut files = Vec::new();
    for (way, letters) in [(Act::KillBefore, 0), (Act::KillAfter, 1)] {
        let stored = case.fixture.store(&format!("{way:?}"), &fresh(100)).await;
        let mut environment = case.fixture.queues.environment().to_vec();
        environment.push(("MAX_RECEIVES", "1"));
        let rule = move |seen: &Seen| match seen.operation.as_str() {
            "SQS SendMessage" => way,
            _ => Act::Pass,
        };
        let mut worker = Sandbox::start_with("replicate", rule, &environment).await;
        assert_eq!(case.fixture.queues.hand_over(&mut worker).await, 1, "{way:?}");
        let replica = case.fixture.replica(&stored, case.place()).await;
        assert_eq!(replica.state, ReplicaState::Failed, "{way:?}: {replica:?}");
        assert_eq!(
            case.fixture.queues.dead_letter_count().await,
            letters,
            "{way:?}: it lived"
        );
        files.push(stored);
    }
    until("the messages have come again", async || {
        case.fixture.queues.hand_over(&mut case.worker).await;
        (case.fixture.queues.waiting().await == 0).then_some(())
    })
    .await;
    let letters = case.fixture.queues.dead_letters().await;
    for stored in &files {
        let replica = case.fixture.replica(stored, case.place()).await;
        assert_eq!(replica.state, ReplicaState::Failed, "{replica:?}");
        let has_one = letters
            .iter()
            .any(|(body, _)| body["blob"] == stored.blob.as_str());
        assert!(has_one, "{} has none: {letters:?}", stored.file.name);
    }
    assert_eq!(
        (
            case.place().counters("failed").await,
            case.place().counters("pending").await
        ),
        (2, 0)
    );
    case.refuses.store(false, Ordering::SeqCst);
    for stored in &files {
        case.arrives(stored, &stored.file.name).await;
    }
    case.fixture.close().await;
}

/// The dead letters of other targets stay where operators see them, as they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_of_other_targets_stay() {
    let refuses = Arc::new(AtomicBool::new(true));
    let places = vec![place(&refuses).await, place(&refuses).await];
    let mut case = Case::at(places, refuses).await;
    let stored = case.failed("a").await;
    let others = case.fixture.replica(&stored, &case.fixture.places[1]).await;
    assert_eq!(others.state, ReplicaState::Failed, "{others:?}");
    assert_eq!(case.fixture.queues.dead_letter_count().await, 2);
    let (_, answer) = case.redrive(|_| Act::Pass).await;
    let body: Value = serde_json::from_str(answer.unwrap()["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["redriven"], 1, "{body}");
    // At once, not when half a minute is over.
    let letters = case.fixture.queues.dead_letters().await;
    let [(letter, reason)] = letters.as_slice() else {
        panic!("there is one: {letters:?}");
    };
    assert_eq!(
        (&letter["target"], &letter["blob"]),
        (
            &case.fixture.places[1].name.as_str().into(),
            &stored.blob.as_str().into()
        )
    );
    assert!(reason.contains("InternalError"), "{reason}");
    case.arrives(&stored, "after the other").await;
    let others = case.fixture.replica(&stored, &case.fixture.places[1]).await;
    assert_eq!(others.state, ReplicaState::Failed, "{others:?}");
    case.fixture.close().await;
}

/// A target that forgets each multipart upload that is begun there: that is an end of it some time, and a beginning when
/// somebody asks for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_forgets_whatever_is_begun() {
    const RESTARTS: u64 = 5;
    let mut world = World::new().await;
    let target = world.new_target("a").await;
    world.set_targets(&[&target]).await;
    let bytes = fresh(PART + 1);
    let sent = world.store("a", &bytes).await;
    let mut worker = world.function_with("replicate", &[("MAX_RECEIVES", "1")]).await;
    let mut restarts = 0;
    let failed = loop {
        // As if it had begun one that is gone by now.
        let begun = json!({ "state": "copying", "multipart_id": "gone", "key": sent.blob });
        world.set_item(&sent.partition(), "REPLICA#a", &begun).await;
        assert!(world.queues.hand_over(&mut worker).await > 0);
        let row = world.replica(&sent, "a").await.unwrap();
        if row["state"] == "failed" {
            break row;
        }
        restarts += 1;
        assert_eq!(
            (&row["restarts"], row.get("multipart_id")),
            (&json!(restarts), None),
            "{row}"
        );
    };
    assert_eq!(
        (&failed["restarts"], restarts),
        (&json!(RESTARTS), RESTARTS),
        "{failed}"
    );
    let said = failed["last_error"].as_str().unwrap();
    assert!(said.contains("came to nothing"), "{said}");
    assert_eq!(world.queues.dead_letters().await.len(), 1);

    let operator = json!({ "role": "operator" });
    world
        .set_item(&world.person.partition(), "ACCOUNT", &operator)
        .await;
    let event = http_event("target-redrive", Some("a"), &world.person.token, None);
    let mut redrive = world.function("target-redrive", |_| Act::Pass).await;
    let answer = redrive.invoke(&event).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let row = world.replica(&sent, "a").await.unwrap();
    assert_eq!(
        (row.get("restarts"), &row["attempts"]),
        (None, &json!(0)),
        "{row}"
    );
    // What it goes on with is gone, too; then it begins another one.
    world.work().await;
    let row = world.replica(&sent, "a").await.unwrap();
    assert_eq!(
        (&row["state"], &row["restarts"]),
        (&json!("available"), &json!(1)),
        "{row}"
    );
    assert_eq!(world.at(&target, &sent).await, Some(bytes));
    world.remove().await;
}
