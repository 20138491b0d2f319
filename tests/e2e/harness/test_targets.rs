//! Targets of every kind, each behind a relay, and somebody whose files only a test's own workers copy to them.

use super::aws;
use super::bytes::unique;
use super::ceph;
use super::oss::{Client, Oss};
use super::person::Person;
use super::proxy::Act;
use super::sandbox::{Sandbox, http_event};
use super::stack::{python, read, root, stack};
use super::target_proxy::{Asked, Fate, Relay};
use super::targets::{self, OnlyFor};
use super::wait::{TIMEOUT, until, until_for};
use super::workers::Queues;
use bytes::Bytes;
use client::types::{Node, Replica, ReplicaState};
use domain::content::PartPlan;
use domain::replica::SegmentPlan;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

/// What a target speaks, and by what it proves that it has the right bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A real Ceph: MD5.
    Ceph,
    /// OSS: CRC-64.
    Oss,
    /// The S3 of the stack itself: SHA-256.
    S3,
}

enum Store {
    Ceph,
    Oss(Box<Oss>),
    /// What boto3 has to know.
    S3(NamedTempFile),
}

/// A target of a test's own, behind a relay.
pub(crate) struct TestTarget {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) relay: Relay,
    store: Store,
    /// What the targets secret says of it.
    pub(crate) entry: Value,
}

impl TestTarget {
    /// `rule` is asked about every request to it.
    pub(crate) async fn new(kind: Kind, rule: impl Fn(&Asked) -> Fate + Send + Sync + 'static) -> Self {
        let (store, mut entry) = match kind {
            Kind::Ceph => (Store::Ceph, ceph_entry()),
            Kind::Oss => {
                let oss = Oss::start();
                let entry = oss.entry();
                (Store::Oss(Box::new(oss)), entry)
            }
            Kind::S3 => {
                let (about, entry) = new_bucket();
                (Store::S3(about), entry)
            }
        };
        let relay = Relay::start(entry["endpoint"].as_str().unwrap(), rule).await;
        let name = targets::new_name(match kind {
            Kind::Ceph => "ceph",
            Kind::Oss => "oss",
            Kind::S3 => "s3",
        });
        entry["name"] = json!(name);
        entry["endpoint"] = json!(relay.endpoint);
        entry["prefix"] = json!(format!("{name}/"));
        Self {
            kind,
            name,
            relay,
            store,
            entry,
        }
    }

    /// The key of a blob there.
    pub(crate) fn key(&self, blob: &str) -> String {
        format!("{}/{blob}", self.name)
    }

    /// Downloads a blob with a client that is not ours.
    pub(crate) fn download(&self, blob: &str, path: &Path) {
        let key = self.key(blob);
        match &self.store {
            Store::Ceph => ceph::download(&key, path),
            Store::Oss(oss) => oss.download(Client::V2, &key, path),
            Store::S3(about) => drop(boto3(about.path(), &["get", &key, path.to_str().unwrap()])),
        }
    }

    /// What a blob is there, for a client that is not ours.
    pub(crate) fn object(&self, blob: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        self.download(blob, &path);
        std::fs::read(path).unwrap()
    }

    /// Whether a client that is not ours finds the blob.
    pub(crate) fn has(&self, blob: &str) -> bool {
        let key = self.key(blob);
        match &self.store {
            Store::Ceph => ceph::has(&key),
            Store::Oss(oss) => oss.head(&key).is_some(),
            Store::S3(about) => boto3(about.path(), &["has", &key]) == true,
        }
    }

    /// How many multipart uploads are under way, of whichever key.
    pub(crate) fn multipart_uploads(&self) -> usize {
        let prefix = format!("{}/", self.name);
        match &self.store {
            Store::Ceph => ceph::multipart_uploads(&prefix),
            Store::Oss(oss) => oss.multipart_uploads(&prefix),
            Store::S3(about) => {
                let listed = boto3(about.path(), &["multipart-uploads", &prefix]);
                listed.as_array().unwrap().len()
            }
        }
    }

    /// The sum of what is counted about its replicas.
    pub(crate) async fn counters(&self, number: &str) -> i64 {
        let rows = aws::counters_in(&stack().table, &self.name).await;
        rows.iter().filter_map(|row| row[number].as_i64()).sum()
    }
}

fn ceph_entry() -> Value {
    let about: Value = read("LONGSHORE_CEPH");
    let mut entry = json!({ "kind": "ceph" });
    for name in ["endpoint", "bucket", "access_key_id", "secret_access_key"] {
        entry[name] = about[name].clone();
    }
    entry
}

fn new_bucket() -> (NamedTempFile, Value) {
    let bucket = format!("e2e-{:x}", unique());
    let entry = json!({
        "kind": "ceph", "checksum": "sha256", "endpoint": stack().endpoint, "region": stack().region,
        "bucket": bucket, "access_key_id": "test", "secret_access_key": "test",
    });
    let about = NamedTempFile::new().unwrap();
    std::fs::write(about.path(), entry.to_string()).unwrap();
    boto3(about.path(), &["make-bucket", &bucket]);
    (about, entry)
}

/// `tests/tools/ceph.py` at another store than Ceph.
fn boto3(about: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(python())
        .arg(root().join("tests/tools/ceph.py"))
        .args(arguments)
        .env("LONGSHORE_CEPH", about)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Somebody whose files have replicas at these places only, and whose messages come to these queues only.
pub(crate) struct ReplicationFixture {
    pub(crate) person: Person,
    pub(crate) places: Vec<TestTarget>,
    pub(crate) queues: Queues,
    only_for: OnlyFor,
    /// Finalizes, and sends its messages to the queues of this test.
    completer: Mutex<Sandbox>,
}

/// A file, and its blob.
pub(crate) struct Stored {
    pub(crate) file: Node,
    pub(crate) blob: String,
}

impl ReplicationFixture {
    pub(crate) async fn new(places: Vec<TestTarget>) -> Self {
        let person = Person::new().await;
        let entries: Vec<Value> = places.iter().map(|place| place.entry.clone()).collect();
        let only_for = targets::only_for(&person.id, &entries).await;
        let queues = Queues::new().await;
        let completer = Sandbox::start_with("upload-complete", |_| Act::Pass, &queues.environment()).await;
        Self {
            person,
            places,
            queues,
            only_for,
            completer: Mutex::new(completer),
        }
    }

    /// Stores a file. Nobody copies it before this test's workers do.
    pub(crate) async fn store(&self, name: &str, bytes: &[u8]) -> Stored {
        let upload = self.person.sent(name, bytes).await.id;
        self.complete(&upload).await
    }

    /// Completes an upload whose parts are there.
    pub(crate) async fn complete(&self, upload: &str) -> Stored {
        let event = http_event("upload-complete", Some(upload), &self.person.token, None);
        until("the upload is complete", async || {
            let answer = self.completer.lock().await.invoke(&event).await.unwrap();
            assert!(
                [json!(200), json!(202)].contains(&answer["statusCode"]),
                "{answer}"
            );
            (answer["statusCode"] == 200).then_some(())
        })
        .await;
        let file = self.person.api.upload(upload).await.unwrap().file.unwrap();
        let row = aws::item(&self.person.partition(), &format!("NODE#{}", file.id)).await;
        let blob = row.unwrap()["file"]["blob"].as_str().unwrap().to_owned();
        Stored { file, blob }
    }

    /// A replica as its owner sees it.
    pub(crate) async fn replica(&self, stored: &Stored, place: &TestTarget) -> Replica {
        let shown = self.person.api.file(&stored.file.id).await.unwrap();
        let found = shown
            .replicas
            .unwrap()
            .into_iter()
            .find(|replica| replica.target == place.name);
        found.unwrap_or_else(|| panic!("no replica at {}", place.name))
    }

    /// Waits until a file is available at a place.
    pub(crate) async fn available(&self, stored: &Stored, place: &TestTarget) {
        self.available_within(TIMEOUT, stored, place).await;
    }

    /// The same for what takes longer, or less long.
    pub(crate) async fn available_within(&self, timeout: Duration, stored: &Stored, place: &TestTarget) {
        let what = format!("{} is available at {}", stored.file.name, place.name);
        until_for(timeout, &what, async || {
            let replica = self.replica(stored, place).await;
            assert_ne!(replica.state, ReplicaState::Failed, "{replica:?}");
            (replica.state == ReplicaState::Available).then_some(())
        })
        .await;
    }

    /// Checks what is written about a replica that is available.
    pub(crate) async fn check_row(&self, stored: &Stored, place: &TestTarget, what: &str) {
        let pk = format!("BLOB#{}", stored.blob);
        let row = aws::item(&pk, &format!("REPLICA#{}", place.name)).await.unwrap();
        let size = stored.file.size.unwrap();
        assert_eq!(
            (&row["state"], &row["bytes_done"]),
            (&json!("available"), &json!(size)),
            "{what}: {row}"
        );
        let plan = PartPlan::for_size(size).unwrap();
        if plan.part_count() > 1 {
            let segments = SegmentPlan::of(&plan).segment_count();
            assert_eq!(row["segments_done"], segments, "{what}: each segment once: {row}");
        }
        assert_eq!(row["key"], place.key(&stored.blob), "{what}");
        for over in [
            "multipart_id",
            "last_error",
            "waiting_shard",
            "waiting_since",
            "due_shard",
            "due_at",
        ] {
            assert_eq!(row.get(over), None, "{what}: {row}");
        }
        let segments = aws::items(&pk, &format!("SEGMENT#{}#", place.name)).await;
        assert!(segments.is_empty(), "{what}: {segments:?}");
    }

    /// Checks that all of these files are at a place and nothing else is, and that each byte was counted once.
    pub(crate) async fn check(&self, place: &TestTarget, files: &[(&Stored, &Bytes)], what: &str) {
        let what = format!("{what} at {:?}", place.kind);
        let mut bytes = 0;
        for (stored, wanted) in files {
            self.check_row(stored, place, &what).await;
            assert!(
                place.object(&stored.blob) == **wanted,
                "{what}: other bytes of {}",
                stored.file.name
            );
            bytes += i64::try_from(wanted.len()).unwrap();
        }
        assert_eq!(place.multipart_uploads(), 0, "{what}: a multipart upload is left");
        let count = i64::try_from(files.len()).unwrap();
        for (number, wanted) in [
            ("pending", 0),
            ("pending_bytes", 0),
            ("failed", 0),
            ("failed_bytes", 0),
            ("available", count),
            ("available_bytes", bytes),
            ("copied_bytes", bytes),
        ] {
            assert_eq!(place.counters(number).await, wanted, "{what}: {number}");
        }
    }

    /// Takes the places out of the secret, and removes the queues.
    pub(crate) async fn close(self) {
        self.only_for.remove().await;
        self.queues.delete().await;
    }
}
