//! Bytes that change on their way, from the primary store or to a target: found out, sent again, never available before.

use crate::harness::aws;
use crate::harness::bytes::{PART, fresh};
use crate::harness::proxy::{Act, Seen};
use crate::harness::target_proxy::{Asked, Fate};
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::wait::until;
use crate::harness::workers::{WorkerOptions, Workers};
use bytes::Bytes;
use client::types::{Replica, ReplicaState};
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// One part, and several.
const SIZES: [usize; 2] = [1000, 2 * PART + 5];

/// Where a byte is changed, of every request that carries file bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    FromThePrimary,
    ToTheTarget,
}

/// How often it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The first time.
    Once,
    /// Until the test mends it.
    Always,
}

/// A yard with a way on which bytes change.
struct Line {
    fixture: ReplicationFixture,
    files: Vec<(Stored, Bytes)>,
    is_mended: Arc<AtomicBool>,
    /// How many bodies had a byte changed.
    spoiled: Arc<AtomicUsize>,
    options: WorkerOptions,
}

impl Line {
    async fn broken(kind: Kind, place: Where, how: How) -> Self {
        let is_mended = Arc::new(AtomicBool::new(false));
        let spoiled = Arc::new(AtomicUsize::new(0));
        let (mended, counter) = (Arc::clone(&is_mended), Arc::clone(&spoiled));
        // `again`: this was sent before.
        let is_spoiled = Arc::new(move |again: bool| {
            let spoils = !mended.load(Ordering::SeqCst) && (how == How::Always || !again);
            counter.fetch_add(usize::from(spoils), Ordering::SeqCst);
            spoils
        });
        let spoils = Arc::clone(&is_spoiled);
        let target = TestTarget::new(kind, move |asked: &Asked| {
            let carries = ["PutObject", "UploadPart"].contains(&asked.operation.as_str());
            if place == Where::ToTheTarget && carries && spoils(asked.repeated > 1) {
                Fate::Flip
            } else {
                Fate::Pass
            }
        });
        let fixture = ReplicationFixture::new(vec![target.await]).await;
        let mut files = Vec::new();
        for size in SIZES {
            let bytes = fresh(size);
            files.push((fixture.store(&format!("{size}"), &bytes).await, bytes));
        }
        let mut options = WorkerOptions::usual(2);
        if place == Where::FromThePrimary {
            let read = Mutex::new(HashSet::new());
            options.aws = Some(Arc::new(move |seen: &Seen| {
                let again = |path: &str| !read.lock().unwrap().insert(path.to_owned());
                if seen.operation == "S3 GetObject" && is_spoiled(again(&seen.path)) {
                    Act::Spoil
                } else {
                    Act::Pass
                }
            }));
        }
        Self {
            fixture,
            files,
            is_mended,
            spoiled,
            options,
        }
    }

    fn place(&self) -> &TestTarget {
        &self.fixture.places[0]
    }

    /// Checks that the files are at the target, with the bytes that they have.
    async fn has_arrived(&self, what: &str) {
        let files = self.files.iter().map(|(stored, bytes)| (stored, bytes));
        self.fixture
            .check(self.place(), &files.collect::<Vec<_>>(), what)
            .await;
    }

    /// Waits until a replica is as it should be. Until then it must not be available.
    async fn wait(&self, stored: &Stored, what: &str, done: impl Fn(&Replica) -> bool) -> Replica {
        until(what, async || {
            let replica = self.fixture.replica(stored, self.place()).await;
            assert_ne!(replica.state, ReplicaState::Available, "{replica:?}");
            assert_eq!(replica.available_at, None);
            done(&replica).then_some(replica)
        })
        .await
    }
}

/// Users and operators are told what is wrong.
fn is_told(kind: Kind, place: Where, reason: Option<&str>) {
    let reason = reason.unwrap_or_default();
    let wanted: &[&str] = match (place, kind) {
        (Where::FromThePrimary, _) => &["the primary object does not match its part digests"],
        (Where::ToTheTarget, Kind::Ceph | Kind::Oss) => &["has other bytes than were sent"],
        // It finds out by itself, and refuses them.
        (Where::ToTheTarget, Kind::S3) => &["BadDigest", "has other bytes than were sent"],
    };
    assert!(
        wanted.iter().any(|wanted| reason.contains(wanted)),
        "{kind:?} {place:?}: {reason}"
    );
}

/// Every byte changes, attempt after attempt; then none does any more.
async fn is_found_out_and_sent_again(kind: Kind, place: Where) {
    let line = Line::broken(kind, place, How::Always).await;
    let workers = Workers::start(&line.fixture.queues, line.options.clone());
    for (stored, _) in &line.files {
        let tried = line.wait(stored, "an attempt fails", |replica| replica.attempts > 0);
        is_told(kind, place, tried.await.last_error.as_deref());
    }
    line.is_mended.store(true, Ordering::SeqCst);
    for (stored, _) in &line.files {
        line.fixture.available(stored, line.place()).await;
    }
    workers.idle().await;
    line.has_arrived(&format!("{place:?}")).await;
    workers.stop().await;
    line.fixture.close().await;
}

/// One byte of each file changes, once: that is no failed attempt yet.
async fn is_sent_again_at_once(kind: Kind, place: Where) {
    let line = Line::broken(kind, place, How::Once).await;
    let workers = Workers::start(&line.fixture.queues, line.options.clone());
    for (stored, _) in &line.files {
        line.fixture.available(stored, line.place()).await;
        let replica = line.fixture.replica(stored, line.place()).await;
        assert_eq!(replica.attempts, 0, "{kind:?} {place:?}: {replica:?}");
    }
    workers.idle().await;
    let spoiled = line.spoiled.load(Ordering::SeqCst);
    assert!(spoiled >= line.files.len(), "only {spoiled} bytes were changed");
    line.has_arrived(&format!("{place:?} once")).await;
    workers.stop().await;
    line.fixture.close().await;
}

/// Every byte changes, whatever is done.
async fn is_given_up(kind: Kind, place: Where) {
    let line = Line::broken(kind, place, How::Always).await;
    let options = WorkerOptions {
        max_receives: 2,
        ..line.options.clone()
    };
    let workers = Workers::start(&line.fixture.queues, options);
    for (stored, _) in &line.files {
        let failed = line.wait(stored, "it is given up", |replica| {
            replica.state == ReplicaState::Failed
        });
        is_told(kind, place, failed.await.last_error.as_deref());
    }
    workers.idle().await;
    let letters = line.fixture.queues.dead_letters().await;
    for (stored, bytes) in &line.files {
        let start = json!({ "step": "start", "blob": stored.blob, "target": line.place().name });
        let letter = letters.iter().find(|(body, _)| *body == start);
        let (_, reason) = letter.unwrap_or_else(|| panic!("no dead letter of {start} in {letters:?}"));
        let pk = format!("BLOB#{}", stored.blob);
        let row = aws::item(&pk, &format!("REPLICA#{}", line.place().name))
            .await
            .unwrap();
        is_told(kind, place, Some(reason));
        assert_eq!(row["state"], "failed");
        assert_eq!(
            (row.get("available_at"), row.get("checksum")),
            (None, None),
            "{row}"
        );
        if place == Where::FromThePrimary {
            assert!(
                !line.place().has(&stored.blob),
                "{} wrong bytes are at the target",
                bytes.len()
            );
        }
    }
    let counters = (
        line.place().counters("available").await,
        line.place().counters("failed").await,
    );
    assert_eq!(counters, (0, 2));
    workers.stop().await;
    line.fixture.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_on_either_way() {
    for kind in [Kind::Oss, Kind::S3] {
        for place in [Where::ToTheTarget, Where::FromThePrimary] {
            is_sent_again_at_once(kind, place).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_to_oss() {
    is_found_out_and_sent_again(Kind::Oss, Where::ToTheTarget).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_to_oss_for_good() {
    is_given_up(Kind::Oss, Where::ToTheTarget).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_to_s3() {
    is_found_out_and_sent_again(Kind::S3, Where::ToTheTarget).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_to_s3_for_good() {
    is_given_up(Kind::S3, Where::ToTheTarget).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_primary_store_to_oss() {
    is_found_out_and_sent_again(Kind::Oss, Where::FromThePrimary).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_primary_store_to_s3_for_good() {
    is_given_up(Kind::S3, Where::FromThePrimary).await;
}

mod real_ceph {
    use super::{Kind, Where, is_found_out_and_sent_again, is_given_up, is_sent_again_at_once};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn once_on_either_way() {
        for place in [Where::ToTheTarget, Where::FromThePrimary] {
            is_sent_again_at_once(Kind::Ceph, place).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_the_way_to_it() {
        is_found_out_and_sent_again(Kind::Ceph, Where::ToTheTarget).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_the_way_to_it_for_good() {
        is_given_up(Kind::Ceph, Where::ToTheTarget).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn from_the_primary_store() {
        is_found_out_and_sent_again(Kind::Ceph, Where::FromThePrimary).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn from_the_primary_store_for_good() {
        is_given_up(Kind::Ceph, Where::FromThePrimary).await;
    }
}
