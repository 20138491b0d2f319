//! What must hold whatever happened: the design's invariants, checked against what is written in the table.

mod folders;
mod replicas;
mod trash;
mod versions;

pub(crate) use replicas::target;

use super::aws::{item, items, multipart_uploads, object, partition};
use super::person::Person;
use super::stack::stack;
use domain::content::{ContentId, PartDigest};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many blobs are looked at at a time.
const AT_ONCE: usize = 8;

/// The blob that has a content, if there is one.
pub(crate) async fn blob_of(content_id: &str) -> Option<Value> {
    let content = item(&format!("CONTENT#{content_id}"), "CONTENT").await?;
    let blob = content["blob"].as_str().unwrap();
    Some(
        item(&format!("BLOB#{blob}"), "BLOB")
            .await
            .expect("a content without its blob"),
    )
}

/// All that is written about an account.
struct Account {
    username: String,
    row: Value,
    nodes: Vec<Value>,
    entries: Vec<Value>,
    folders: Vec<Value>,
    content_references: Vec<Value>,
    uploads: Vec<Value>,
    /// What is in the trash.
    trash: Vec<Value>,
    /// Earlier versions of files.
    versions: Vec<Value>,
    /// Answers that are remembered by an idempotency key.
    answers: Vec<Value>,
}

impl Account {
    async fn read(person: &Person) -> Self {
        let all = partition(&person.partition()).await;
        let of = |prefix: &str| -> Vec<Value> {
            let begins = |item: &&Value| item["sk"].as_str().unwrap().starts_with(prefix);
            all.iter().filter(begins).cloned().collect()
        };
        Self {
            username: person.username.clone(),
            row: of("ACCOUNT").remove(0),
            nodes: of("NODE#"),
            entries: of("ENTRY#"),
            folders: of("FOLDER#"),
            content_references: of("HAS_CONTENT#"),
            uploads: of("UPLOAD#"),
            trash: of("TRASH#"),
            versions: of("VERSION#"),
            answers: of("KEY#"),
        }
    }

    fn files(&self) -> impl Iterator<Item = &Value> {
        self.nodes.iter().filter(|node| !node["file"].is_null())
    }

    /// What its files have and had, with the file of each.
    fn contents(&self) -> impl Iterator<Item = (&Value, &Value)> {
        let now = self.files().map(|file| (&file["id"], &file["file"]));
        now.chain(
            self.versions
                .iter()
                .map(|version| (&version["node"], &version["file"])),
        )
    }

    /// Its quota is exact, and its tree is whole.
    fn check(&self, what: &str) {
        let size = |value: &Value| value["size"].as_u64().unwrap();
        let stored: u64 = self.contents().map(|(_, content)| size(content)).sum();
        let reserved: u64 = self
            .uploads
            .iter()
            .filter(|upload| is_live(upload))
            .map(size)
            .sum();
        let number = |name: &str| self.row[name].as_i64().unwrap();
        assert_eq!(
            number("quota_bytes") - number("free_bytes"),
            i64::try_from(stored + reserved).unwrap(),
            "{what}: the quota of {}, {stored} in files, {reserved} reserved",
            self.username
        );
        let (nodes, entries) = (&self.nodes, &self.entries);
        let in_tree = |node: &&Value| node["trashed_at"].is_null();
        let live = nodes.iter().filter(in_tree);
        assert_eq!(
            live.clone().count(),
            entries.len(),
            "{what}: each node has one entry"
        );
        let trashed: BTreeSet<_> = nodes
            .iter()
            .filter(|node| !in_tree(node))
            .map(|node| node["id"].as_str())
            .collect();
        trash::check(&self.row, nodes, &self.trash, &self.versions, what);
        let listed: BTreeSet<_> = self.trash.iter().map(|row| row["node"].as_str()).collect();
        assert_eq!(trashed, listed, "{what}: what is in the trash is listed there");
        for node in live.clone() {
            let entry = entries.iter().find(|entry| entry["node"] == node["id"]);
            let entry = entry.unwrap_or_else(|| panic!("{what}: a node without an entry: {node}"));
            for part in ["name", "parent", "file", "version", "created_at", "updated_at"] {
                assert_eq!(entry[part], node[part], "{what}: {part} of {node}");
            }
            let parent = &node["parent"];
            assert!(
                parent.is_null()
                    || nodes
                        .iter()
                        .any(|folder| folder["id"] == *parent && folder["file"].is_null()),
                "{what}: in no folder: {node}"
            );
        }
        for node in nodes {
            let children = live.clone().filter(|child| child["parent"] == node["id"]).count();
            assert_eq!(node["entries"], children, "{what}: {node}");
        }
        folders::check(nodes, &self.folders, what);
        versions::check(nodes, &self.versions, what);
        versions::are_found(self.contents(), &self.content_references, what);
        for answer in &self.answers {
            let said: Value = serde_json::from_str(answer["answer"].as_str().unwrap()).unwrap();
            // A file or folder may have been deleted since.
            let is_node = said["kind"] == "folder" || said["kind"] == "file";
            let made = is_node || self.uploads.iter().any(|made| made["id"] == said["id"]);
            assert!(made, "{what}: remembered, and not there: {said}");
        }
    }
}

fn is_live(upload: &Value) -> bool {
    matches!(
        upload["state"].as_str(),
        Some("open" | "proof_required" | "finalizing")
    )
}

/// Checks all that is written about an account: its quota is exact, its tree is whole, and every file's blob is there.
/// Returns how many files it has.
pub(crate) async fn account(person: &Person) -> usize {
    let account = Account::read(person).await;
    account.check("account");
    let mut references: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, content) in account.contents() {
        *references.entry(content["blob"].as_str().unwrap()).or_default() += 1;
    }
    for (id, mine) in references {
        let blob = Blob::read(id).await;
        let row = blob.row.as_ref().expect("a file without its blob");
        assert!(row["references"].as_u64().unwrap() >= mine, "{row}");
        for (_, content) in account.contents().filter(|(_, content)| content["blob"] == id) {
            assert_eq!(row["content_id"], content["content_id"]);
        }
        blob.check_replicas("account").await;
    }
    account.files().count()
}

/// All that is written about a blob.
struct Blob {
    id: String,
    row: Option<Value>,
    upload_owner: Option<Value>,
    part_digests: Vec<PartDigest>,
    replicas: Vec<Value>,
    items: usize,
}

impl Blob {
    async fn read(id: &str) -> Self {
        let all = partition(&format!("BLOB#{id}")).await;
        let of = |prefix: &str| -> Vec<&Value> {
            let begins = |item: &&Value| item["sk"].as_str().unwrap().starts_with(prefix);
            all.iter().filter(begins).collect()
        };
        let digests =
            |page: &&Value| -> Vec<PartDigest> { serde_json::from_value(page["digests"].clone()).unwrap() };
        Self {
            id: id.to_owned(),
            row: of("BLOB").first().copied().cloned(),
            upload_owner: of("UPLOAD").first().copied().cloned(),
            part_digests: of("DIGESTS#").iter().flat_map(digests).collect(),
            replicas: of("REPLICA#").into_iter().cloned().collect(),
            items: all.len(),
        }
    }

    fn key(&self) -> String {
        format!("blobs/{}", self.id)
    }

    /// That there is no trace of it, neither in the table nor in the bucket.
    async fn is_gone(&self) -> bool {
        self.items == 0
            && object(&self.key()).await.is_none()
            && multipart_uploads(&self.key()).await.is_empty()
    }

    /// There is one replica at each target that everybody's files get to, or at others that a policy names. Each is in the
    /// index of what waits if it waits.
    async fn check_replicas(&self, what: &str) {
        let row = self.row.as_ref().unwrap();
        let at = |name: &Value| self.replicas.iter().any(|replica| replica["target"] == *name);
        let usual = stack()
            .targets
            .iter()
            .filter(|target| at(&target["name"]))
            .count();
        if !self.has_policies().await {
            assert_eq!(
                usual,
                stack().targets.len(),
                "{what}: one replica for each target"
            );
            assert!(
                row["size"] == 0 || self.replicas.len() == usual,
                "{what}: {:?}",
                self.replicas
            );
        }
        for replica in &self.replicas {
            assert_eq!(replica["size"], row["size"], "{what}: {replica}");
            replicas::check(replica, what);
        }
    }

    /// Whether some account's files get to other targets than everybody's: those of its owner may.
    async fn has_policies(&self) -> bool {
        let Some(upload_owner) = &self.upload_owner else {
            return false;
        };
        let target_registry = item("TARGETS", "TARGETS").await.unwrap_or_default();
        let policies = target_registry["policies"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        policies
            .iter()
            .any(|policy| policy["account"] == upload_owner["account"])
    }

    /// It has exactly `references`, its bytes are there, and they are what it says.
    async fn check(&self, references: u64, what: &str) {
        let row = self
            .row
            .as_ref()
            .unwrap_or_else(|| panic!("{what}: a file without its blob"));
        if row["size"] == 0 {
            // Nothing is the only content that is everybody's.
            assert!(row["references"].as_u64() >= Some(references), "{what}: {row}");
        } else {
            assert_eq!(row["references"], references, "{what}: {row}");
        }
        if row["references"] == 0 {
            assert!(
                row["due_at"].is_u64(),
                "{what}: nobody will look at it again: {row}"
            );
        }
        let content_id = row["content_id"].as_str().unwrap();
        let written = ContentId::of_parts(&self.part_digests).map(|id| id.to_string());
        assert_eq!(written.as_deref(), Some(content_id), "{what}: its part digests");
        self.check_replicas(what).await;
        let scope = row["scope"]
            .as_str()
            .map(|account| format!("#{account}"))
            .unwrap_or_default();
        let content = item(&format!("CONTENT#{content_id}{scope}"), "CONTENT").await;
        if row["reclaiming"] == false {
            assert_eq!(
                content.map(|content| content["blob"].clone()),
                Some(row["id"].clone()),
                "{what}: {row}"
            );
        } else {
            assert_eq!(references, 0, "{what}: {row}");
        }
        let bytes = object(&self.key())
            .await
            .unwrap_or_else(|| panic!("{what}: an object is gone: {row}"));
        assert_eq!(row["size"], bytes.len(), "{what}");
        assert_eq!(
            content_id,
            super::person::content_id(&bytes).to_string(),
            "{what}: its bytes"
        );
        assert_eq!(multipart_uploads(&self.key()).await, [""; 0], "{what}");
    }
}

/// Checks the whole world of a case, in which nobody is at work: every account's quota and tree, every reference,
/// every byte, and that nothing is left of what ended. `people` are all who have ever had its contents. Returns how many
/// files they have.
pub(crate) async fn world(people: &[&Person], what: &str) -> usize {
    let accounts = join_all(people.iter().map(|person| Account::read(person))).await;
    let mut references: BTreeMap<&str, u64> = BTreeMap::new();
    for account in &accounts {
        account.check(what);
        for (_, content) in account.contents() {
            *references.entry(content["blob"].as_str().unwrap()).or_default() += 1;
        }
    }
    let uploads: Vec<&Value> = accounts.iter().flat_map(|account| &account.uploads).collect();
    let blobs: Vec<Blob> = stream::iter(&uploads)
        .map(|upload| Blob::read(upload["blob"].as_str().unwrap()))
        .buffered(AT_ONCE)
        .collect()
        .await;
    for (upload, blob) in uploads.into_iter().zip(blobs) {
        let what = &format!("{what}: upload {upload}");
        assert_ne!(upload["state"], "finalizing", "{what}");
        if is_live(upload) {
            assert!(blob.row.is_none(), "{what}: a blob already");
            if upload["multipart_id"].is_string() {
                let upload_owner = blob
                    .upload_owner
                    .unwrap_or_else(|| panic!("{what}: has parts, and no upload owner"));
                assert_eq!(upload_owner["upload"], upload["id"], "{what}");
            }
        } else if blob.row.is_some() {
            references.entry(upload["blob"].as_str().unwrap()).or_default();
        } else {
            assert!(blob.is_gone().await, "{what}: it ended, and left something");
        }
    }
    stream::iter(references)
        .for_each_concurrent(AT_ONCE, async |(id, references)| {
            Blob::read(id).await.check(references, what).await;
        })
        .await;
    accounts.iter().map(|account| account.files().count()).sum()
}

/// Checks that an upload ended as exactly one file with these bytes, whose blob has `references`.
pub(crate) async fn complete_once(person: &Person, upload: &str, bytes: &[u8], references: u64) {
    let view = person.api.upload(upload).await.unwrap();
    let file = view
        .file
        .unwrap_or_else(|| panic!("{upload} is {:?}", view.state));
    let row = person.upload_row(upload).await;
    assert_eq!(row["state"], "complete");
    assert_eq!(row["node"], file.id);
    assert_eq!(row.get("lease_until"), None, "{row}");

    let nodes = items(&person.partition(), "NODE#").await;
    assert_eq!(
        nodes
            .iter()
            .filter(|node| node["name"] == file.name.as_str())
            .count(),
        1
    );
    let content_id = super::person::content_id(bytes).to_string();
    let blob = blob_of(&content_id).await.expect("the content has a blob");
    assert_eq!(
        (&blob["references"], &blob["reclaiming"]),
        (&references.into(), &false.into()),
        "{blob}"
    );
    let node = nodes.iter().find(|node| node["id"] == file.id.as_str()).unwrap();
    assert_eq!(node["file"]["blob"], blob["id"]);
    let pk = format!("BLOB#{}", blob["id"].as_str().unwrap());
    let replicas = items(&pk, "REPLICA#").await;
    assert!(replicas.len() >= stack().targets.len(), "{replicas:?}");
    let key = format!("blobs/{}", blob["id"].as_str().unwrap());
    assert_eq!(object(&key).await.as_deref(), Some(bytes), "the object's bytes");
    assert_eq!(multipart_uploads(&key).await, [""; 0]);
    account(person).await;
}

/// Whether nothing is left at the store of an upload's own object: it was discarded.
pub(crate) async fn is_discarded(row: &Value) -> bool {
    let key = format!("blobs/{}", row["blob"].as_str().unwrap());
    object(&key).await.is_none() && multipart_uploads(&key).await.is_empty()
}
