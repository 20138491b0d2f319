//! A big file goes to a real Ceph and to an OSS server at once, by four workers, of which one is killed every few seconds,
//! while Ceph loses its disk and its gateway, and one request in twenty to either target fails.
//!
//! `LONGSHORE_CHAOS_BYTES` sets its size.

use crate::harness::bytes::fresh;
use crate::harness::ceph;
use crate::harness::person::put;
use crate::harness::target_proxy::{Fate, some_fail};
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::wait::until_for;
use crate::harness::workers::{WorkerOptions, Workers};
use bytes::Bytes;
use client::types::PartToSign;
use domain::content::{ContentId, PartDigest, PartPlan};
use futures::stream::{self, StreamExt};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How large the file is, unless the environment says otherwise.
const USUAL_BYTES: u64 = 1 << 30;
const WORKERS: usize = 4;
/// When the first worker is killed.
const FIRST_KILL: Duration = Duration::from_secs(4);
/// How much longer it takes to the next one, each time: on the slowest machine some worker lives long enough in the end.
const SLOWER: Duration = Duration::from_millis(200);
/// How long the last bytes may take: a target that was down is left alone for a while, and longer when the worker is killed
/// that tries it again.
const LONGEST: Duration = Duration::from_mins(8);
/// What no worker may exceed, in KiB.
const MEMORY: u64 = 64 * 1024;
/// How requests fail. A hang takes as long as a worker waits, so there are fewer of them.
const WAYS: [Fate; 9] = [
    Fate::Refuse,
    Fate::Refuse,
    Fate::Reset,
    Fate::Reset,
    Fate::ResetHalfway,
    Fate::ResetHalfway,
    Fate::LoseAnswer,
    Fate::LoseAnswer,
    Fate::Hang,
];
const RATE: f64 = 0.05;
/// How many parts are made and sent at a time.
const TOGETHER: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_big_file_under_fire_arrives_everywhere() {
    let size = std::env::var("LONGSHORE_CHAOS_BYTES").map_or(USUAL_BYTES, |text| text.parse().unwrap());
    let began = Instant::now();
    let say = |what: &str| println!("{size} bytes, {what}: {:.0} s", began.elapsed().as_secs_f64());
    let places = vec![
        TestTarget::new(Kind::Ceph, some_fail(11, RATE, &WAYS)).await,
        TestTarget::new(Kind::Oss, some_fail(12, RATE, &WAYS)).await,
    ];
    let fixture = ReplicationFixture::new(places).await;
    let (stored, digests) = upload(&fixture, size).await;
    say("uploaded");

    let workers = Arc::new(Workers::start(&fixture.queues, WorkerOptions::usual(WORKERS)));
    let killer = tokio::spawn(kill_one_after_another(Arc::clone(&workers)));
    for (share, daemon) in [(0.2, "osd"), (0.5, "gateway")] {
        half_way(&fixture, &stored, share).await;
        ceph::control_meanwhile(&["kill", daemon]).await;
        say(&format!("the {daemon} is killed"));
        // Long enough for its users to notice.
        sleep(Duration::from_secs(3)).await;
        ceph::control_meanwhile(&["start"]).await;
        say(&format!("the {daemon} runs again"));
    }
    for place in &fixture.places {
        fixture.available_within(LONGEST, &stored, place).await;
        say(&format!("available at {:?}", place.kind));
    }
    killer.abort();
    workers.idle().await;

    for place in &fixture.places {
        fixture.check_row(&stored, place, "a big file").await;
        let size = i64::try_from(size).unwrap();
        let counters = (
            place.counters("available").await,
            place.counters("copied_bytes").await,
        );
        assert_eq!(
            counters,
            (1, size),
            "{:?}: each segment was counted once",
            place.kind
        );
        assert_eq!(
            place.counters("pending").await + place.counters("failed").await,
            0
        );
        assert_eq!(
            place.multipart_uploads(),
            0,
            "{:?}: a multipart upload is left",
            place.kind
        );
        is_there(place, &stored, &digests);
        say(&format!("read from {:?} by its own client", place.kind));
        println!("{:?}: {:?}", place.kind, place.relay.befallen());
        assert!(place.relay.faults() > 0, "nothing went wrong at {:?}", place.kind);
    }
    let (deaths, memory) = (workers.deaths(), workers.peak_memory());
    println!("{deaths} workers were killed; the most memory that one used: {memory} KiB");
    assert!(deaths >= WORKERS, "only {deaths} workers were killed");
    assert!(memory <= MEMORY, "a worker used {memory} KiB");
    workers.stop().await;
    fixture.close().await;
}

/// Uploads new bytes, part by part: they never are in memory, or on disk, all at once. Returns the digest of each part.
async fn upload(fixture: &ReplicationFixture, size: u64) -> (Stored, Vec<PartDigest>) {
    fixture.person.set_quota(2 * size).await;
    let plan = PartPlan::for_size(size).unwrap();
    let upload = fixture
        .person
        .begin_as("big", usize::try_from(size).unwrap(), None)
        .await;
    let numbers: Vec<u32> = (1..=plan.part_count()).collect();
    let mut digests = Vec::new();
    for numbers in numbers.chunks(TOGETHER) {
        let length = |number: u32| usize::try_from(plan.part_length(number).unwrap()).unwrap();
        let parts: Vec<Bytes> = numbers.iter().map(|number| fresh(length(*number))).collect();
        let to_sign = |(number, bytes): (&u32, &Bytes)| PartToSign {
            number: *number,
            sha256: PartDigest::of(bytes),
        };
        let to_sign: Vec<PartToSign> = numbers.iter().zip(&parts).map(to_sign).collect();
        digests.extend(to_sign.iter().map(|part| part.sha256));
        let signed = fixture.person.api.sign_parts(&upload.id, &to_sign).await.unwrap();
        let sent = stream::iter(signed.iter().zip(parts)).for_each_concurrent(3, async |(signed, bytes)| {
            put(signed, bytes).await.expect(200);
        });
        sent.await;
    }
    let stored = fixture.complete(&upload.id).await;
    assert_eq!(stored.file.content_id, ContentId::of_parts(&digests));
    (stored, digests)
}

async fn kill_one_after_another(workers: Arc<Workers>) {
    let mut wait = FIRST_KILL;
    for index in (0..WORKERS).cycle() {
        sleep(wait).await;
        workers.kill(index);
        wait += SLOWER;
    }
}

/// Waits until so much of the file is at the first place.
async fn half_way(fixture: &ReplicationFixture, stored: &Stored, share: f64) {
    let size = stored.file.size.unwrap();
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "about so much"
    )]
    let wanted = (size as f64 * share) as u64;
    until_for(LONGEST, &format!("{share} of it is copied"), async || {
        let replica = fixture.replica(stored, &fixture.places[0]).await;
        let state = json!(replica.state);
        assert!(replica.bytes_done < size, "it was too fast: {replica:?}");
        (state == "copying" && replica.bytes_done >= wanted).then_some(())
    })
    .await;
}

/// Checks that a client that is not ours gets every part of the file as it was sent.
fn is_there(place: &TestTarget, stored: &Stored, digests: &[PartDigest]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy");
    place.download(&stored.blob, &path);
    assert!(
        digests_of(&path, stored) == digests,
        "other bytes at {:?}",
        place.kind
    );
}

fn digests_of(path: &Path, stored: &Stored) -> Vec<PartDigest> {
    let mut file = File::open(path).unwrap();
    assert_eq!(Some(file.metadata().unwrap().len()), stored.file.size);
    let plan = PartPlan::for_size(stored.file.size.unwrap()).unwrap();
    (1..=plan.part_count())
        .map(|number| {
            let mut part = vec![0; usize::try_from(plan.part_length(number).unwrap()).unwrap()];
            file.read_exact(&mut part).unwrap();
            PartDigest::of(&part)
        })
        .collect()
}
