//! What must hold when all that was killed runs again.

use super::clients::{Content, Known};
use crate::harness::audit;
use crate::harness::aws;
use crate::harness::ceph;
use crate::harness::person::Person;
use crate::harness::private_sweep::PrivateSweep;
use crate::harness::processes::{FunctionProcess, function_processes};
use crate::harness::queues::Queues;
use crate::harness::wait::{until, until_for};
use client::types::Node;
use fastrand::Rng;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::sleep;

const TARGET: &str = "ceph";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";
/// How long what waits may take when all is over.
const LONGEST: Duration = Duration::from_mins(15);
/// How long a sweep may take that has everything to do.
const SWEEP: Duration = Duration::from_mins(10);
/// What changes no file by itself.
const BACKGROUND: [&str; 3] = ["reconcile", "replicate", "sweep"];
const AT_ONCE: usize = 8;
/// How many files are downloaded in the end.
const DOWNLOADS: usize = 300;

/// An account, and what its clients know.
pub(super) struct Owner {
    pub(super) person: Person,
    pub(super) known: Vec<Known>,
}

/// What is stored, and under way, in the primary bucket and at Ceph.
pub(super) struct Stores {
    primary: BTreeSet<String>,
    multiparts: BTreeSet<(String, String)>,
    ceph: BTreeMap<String, u64>,
    ceph_multiparts: BTreeSet<String>,
}

impl Stores {
    pub(super) async fn look() -> Self {
        Self {
            primary: aws::object_keys().await.into_iter().collect(),
            multiparts: aws::all_multipart_uploads().await.into_iter().collect(),
            ceph: serde_json::from_value(ceph::boto3(&["list"])).unwrap(),
            ceph_multiparts: serde_json::from_value(ceph::boto3(&["multipart-uploads", ""])).unwrap(),
        }
    }

    /// The same without what was there before: that is others'.
    async fn since(before: &Self) -> Self {
        let mut now = Self::look().await;
        now.primary.retain(|key| !before.primary.contains(key));
        now.multiparts.retain(|one| !before.multiparts.contains(one));
        now.ceph.retain(|key, _| !before.ceph.contains_key(key));
        now.ceph_multiparts
            .retain(|id| !before.ceph_multiparts.contains(id));
        now
    }
}

/// The uploads of all accounts, as they are written.
async fn uploads(owners: &[Owner]) -> Vec<Value> {
    let all = owners
        .iter()
        .map(async |owner| aws::items(&owner.person.partition(), "UPLOAD#").await);
    join_all(all).await.concat()
}

/// The ids of all blobs that were ever begun.
async fn blobs_of(owners: &[Owner]) -> BTreeSet<String> {
    let uploads = uploads(owners).await;
    let ids = uploads
        .iter()
        .map(|upload| upload["blob"].as_str().unwrap().to_owned());
    ids.collect()
}

fn is_one_of(row: &Value, member: &str, blobs: &BTreeSet<String>) -> bool {
    blobs.contains(row[member].as_str().unwrap())
}

/// The blobs that there are, as they are written.
async fn blob_rows(blobs: &BTreeSet<String>) -> Vec<Value> {
    let mut rows = aws::scan("BLOB").await;
    rows.retain(|row| is_one_of(row, "id", blobs));
    rows
}

async fn replica_rows(blobs: &BTreeSet<String>) -> Vec<Value> {
    let mut rows = aws::scan(&format!("REPLICA#{TARGET}")).await;
    rows.retain(|row| is_one_of(row, "blob", blobs));
    rows
}

/// Waits until no function is at what a client has asked for: clients that gave up did not wait for it.
pub(super) async fn nobody_at_work() {
    until("the functions of the API are idle", async || {
        let mut all = function_processes();
        all.retain(|process| !BACKGROUND.contains(&process.function.as_str()));
        let before: Vec<_> = all.iter().map(FunctionProcess::worked).collect();
        sleep(Duration::from_secs(1)).await;
        let after: Vec<_> = all.iter().map(FunctionProcess::worked).collect();
        (before == after).then_some(())
    })
    .await;
}

/// Waits until all messages are worked off, and no replica waits for one but those whose message is lost. Returns what is
/// not available then.
pub(super) async fn worked_off(owners: &[Owner]) -> Vec<Value> {
    let (blobs, queues) = (blobs_of(owners).await, Queues::of_the_stack());
    until_for(LONGEST, "all messages are worked off", async || {
        if queues.waiting().await > 0 {
            return None;
        }
        let mut waiting = replica_rows(&blobs).await;
        waiting.retain(|row| row["state"] != "available");
        // What waits without a message, for its target was left alone, gets one from the sweep.
        let left_alone = waiting
            .iter()
            .any(|row| row["state"] != "failed" && row["due_at"].is_null());
        (!left_alone && queues.waiting().await == 0).then_some(waiting)
    })
    .await
}

/// Has everything be due of which anything may be left, as if hours had gone by, and lets one sweep look at it.
pub(super) async fn one_sweep(owners: &[Owner], lost_messages: &[Value]) -> Value {
    let sweep = PrivateSweep::new();
    for owner in owners {
        sweep.take_uploads(&owner.person).await;
    }
    let mut open = uploads(owners).await;
    open.retain(|upload| ["open", "proof_required"].contains(&upload["state"].as_str().unwrap()));
    let over = json!({ "expires_at": LONG_AGO });
    take(&sweep, &open, &over).await;
    take(&sweep, lost_messages, &json!({})).await;
    sweep.run_for(SWEEP).await
}

async fn take(sweep: &PrivateSweep, rows: &[Value], attributes: &Value) {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    stream::iter(rows)
        .for_each_concurrent(AT_ONCE, async |row| {
            sweep.take(&text(row, "pk"), &text(row, "sk"), attributes).await;
        })
        .await;
}

/// Has the replicas that were given up tried again. Returns how many.
pub(super) async fn redrive(operator: &Person) -> u64 {
    let mut redriven = 0;
    loop {
        let some = operator.api.redrive(TARGET).await.unwrap();
        redriven += some.redriven;
        if !some.more {
            return redriven;
        }
    }
}

/// Every account has the files that it was told of and no others, what it holds is the sum of them, and nothing of what
/// ended is left. Returns how many files there are.
pub(super) async fn nothing_lost(owners: &[Owner]) -> usize {
    let people: Vec<&Person> = owners.iter().map(|owner| &owner.person).collect();
    let files = audit::world(&people, "after one sweep").await;
    for owner in owners {
        let person = &owner.person;
        let files = person.api.all_files(None).await.unwrap();
        let listed: BTreeMap<&str, &Node> = files.iter().map(|file| (file.name.as_str(), file)).collect();
        for (name, told) in owner.known.iter().flat_map(|known| &known.there) {
            let file = listed
                .get(name.as_str())
                .unwrap_or_else(|| panic!("{name} is lost"));
            assert_eq!(file.id, told.id, "{name}");
        }
        for file in &files {
            let content = owner.content_of(&file.name);
            let content = content.unwrap_or_else(|| panic!("{} should be gone", file.name));
            assert_eq!(file.content_id, Some(content.id()), "{}", file.name);
            assert_eq!(file.size, Some(content.size as u64), "{}", file.name);
        }
        let held: u64 = files.iter().filter_map(|file| file.size).sum();
        let versions = aws::items(&person.partition(), "VERSION#").await;
        let sizes = versions
            .iter()
            .filter_map(|version| version["file"]["size"].as_u64());
        let held = held + sizes.sum::<u64>();
        assert_eq!(person.used().await, held, "{}", person.username);
        assert_eq!(person.api.all_uploads().await.unwrap(), [], "an upload is open");
    }
    files
}

impl Owner {
    pub(super) fn new(person: Person) -> Self {
        Self {
            person,
            known: Vec::new(),
        }
    }

    fn content_of(&self, name: &str) -> Option<Content> {
        self.known.iter().find_map(|known| {
            let told = known.there.get(name).map(|told| told.content);
            told.or_else(|| known.maybe.get(name).copied())
        })
    }
}

/// No object and no multipart upload is at either store without a blob, and each blob is at both.
pub(super) async fn no_orphans(owners: &[Owner], before: &Stores, what: &str) {
    let blobs = blobs_of(owners).await;
    let (rows, now) = (blob_rows(&blobs).await, Stores::since(before).await);
    let keys = rows
        .iter()
        .map(|row| format!("blobs/{}", row["id"].as_str().unwrap()));
    let keys: BTreeSet<String> = keys.collect();
    let differ: Vec<&String> = now.primary.symmetric_difference(&keys).collect();
    assert_eq!(
        differ, [""; 0],
        "{what}: objects without blobs, or blobs without objects"
    );
    assert_eq!(now.multiparts, BTreeSet::new(), "{what}: multipart uploads");
    let size = |row: &Value| row["size"].as_u64().unwrap();
    let copies = rows
        .iter()
        .map(|row| (row["id"].as_str().unwrap().to_owned(), size(row)));
    let copies: BTreeMap<String, u64> = copies.collect();
    let differ: Vec<_> = now
        .ceph
        .iter()
        .filter(|(key, size)| copies.get(*key) != Some(size))
        .collect();
    assert!(differ.is_empty(), "{what}: at Ceph without a blob: {differ:?}");
    let missing: Vec<_> = copies.keys().filter(|key| !now.ceph.contains_key(*key)).collect();
    assert_eq!(missing, [""; 0], "{what}: not at Ceph");
    assert_eq!(
        now.ceph_multiparts,
        BTreeSet::new(),
        "{what}: multipart uploads at Ceph"
    );
}

/// Waits until each blob is available at the target.
pub(super) async fn replicated(owners: &[Owner]) -> usize {
    let blobs = blobs_of(owners).await;
    let there = until_for(LONGEST, "every replica is available", async || {
        let rows = replica_rows(&blobs).await;
        rows.iter()
            .all(|row| row["state"] == "available")
            .then_some(rows.len())
    })
    .await;
    assert_eq!(there, blob_rows(&blobs).await.len(), "each blob has a replica");
    audit::target(TARGET).await;
    there
}

/// Reclaims what has no file any more, as if its day of grace were over. Returns how many blobs that were.
pub(super) async fn reclaim(owners: &[Owner]) -> usize {
    let blobs = blobs_of(owners).await;
    let mut count = 0;
    // Marked, and then deleted.
    for _ in 0..2 {
        let mut unused = blob_rows(&blobs).await;
        unused.retain(|row| row["references"] == 0);
        count = unused.len();
        let sweep = PrivateSweep::new();
        take(&sweep, &unused, &json!({})).await;
        sweep.run_for(SWEEP).await;
    }
    let mut left = blob_rows(&blobs).await;
    left.retain(|row| row["references"] == 0);
    assert_eq!(left, [json!(null); 0], "blobs without files");
    count
}

/// Some files come down as they went up. Returns how many were tried.
pub(super) async fn downloads(owners: &[Owner], mut rng: Rng) -> usize {
    let mut all = Vec::new();
    for owner in owners {
        let files = owner.person.api.all_files(None).await.unwrap();
        all.extend(files.into_iter().map(|file| (owner, file)));
    }
    let some = rng.choose_multiple(all, DOWNLOADS);
    stream::iter(&some)
        .for_each_concurrent(AT_ONCE, async |(owner, file)| {
            let content = owner.content_of(&file.name).unwrap();
            assert!(owner.person.fetch(file).await == content.bytes(), "{}", file.name);
        })
        .await;
    some.len()
}
