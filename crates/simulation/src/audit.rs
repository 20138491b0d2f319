//! What must hold in every world in which nobody is at work any more.

mod tree;
mod versions;

use crate::person::content_id;
use crate::world::{BUCKET, QUEUES, TARGET_BUCKET, World};
use domain::content::{ContentId, PartDigest};
use domain::replica::ReplicaCounters;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::rows::ReplicaCountersRow;

/// Everything that is, read once.
pub struct Audit<'w> {
    world: &'w World,
    rows: Vec<Value>,
    broken: Vec<String>,
}

impl<'w> Audit<'w> {
    /// Reads a world.
    #[must_use]
    pub fn of(world: &'w World) -> Self {
        Self {
            world,
            rows: world.rows(),
            broken: Vec::new(),
        }
    }

    /// Checks all of it. Returns what does not hold.
    #[must_use]
    pub fn check(mut self) -> Vec<String> {
        let accounts: BTreeSet<String> = self
            .rows
            .iter()
            .filter(|row| row["sk"] == "ACCOUNT")
            .map(|row| text(row, "pk").to_owned())
            .collect();
        let orphans = self.rows.iter().filter(|row| {
            let pk = text(row, "pk");
            pk.starts_with("ACCOUNT#") && !accounts.contains(pk)
        });
        let orphans: Vec<String> = orphans.map(ToString::to_string).collect();
        self.must(orphans.is_empty(), || format!("of no account: {orphans:?}"));
        let mut references = BTreeMap::new();
        for account in &accounts {
            self.account(account, &mut references);
        }
        self.blobs(&references);
        self.primary_objects();
        self.replicas();
        self.counters();
        self.queues();
        self.broken
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    /// The rows of a partition whose sort keys begin so.
    fn of_partition(&self, pk: &str, prefix: &str) -> Vec<Value> {
        let rows = self.rows.iter();
        rows.filter(|row| row["pk"] == pk && text(row, "sk").starts_with(prefix))
            .cloned()
            .collect()
    }

    fn row(&self, pk: &str, sk: &str) -> Option<Value> {
        self.rows
            .iter()
            .find(|row| row["pk"] == pk && row["sk"] == sk)
            .cloned()
    }

    /// Its quota is exact, its tree is whole, and every file holds its content.
    fn account(&mut self, pk: &str, references: &mut BTreeMap<String, u64>) {
        let nodes = self.of_partition(pk, "NODE#");
        let entries = self.of_partition(pk, "ENTRY#");
        let held = self.of_partition(pk, "HAS_CONTENT#");
        let uploads = self.of_partition(pk, "UPLOAD#");
        let files: Vec<_> = nodes.iter().filter(|node| !node["file"].is_null()).collect();
        let versions = self.versions(pk, &nodes);
        let contents = || files.iter().map(|file| (&file["id"], &file["file"]));
        let contents = || {
            contents().chain(
                versions
                    .iter()
                    .map(|version| (&version["node"], &version["file"])),
            )
        };
        let stored: u64 = contents().map(|(_, content)| number(content, "size")).sum();
        let live = uploads.iter().filter(|upload| is_live(upload));
        let reserved: u64 = live.map(|upload| number(upload, "size")).sum();
        let account = self.row(pk, "ACCOUNT").unwrap_or_default();
        let free = account["free_bytes"].as_i64().unwrap_or_default();
        let quota = account["quota_bytes"].as_i64().unwrap_or_default();
        self.must(
            i64::try_from(stored + reserved).ok() == Some(quota - free),
            || format!("{pk}: {stored} bytes in files, {reserved} reserved, {free} of {quota} free"),
        );
        self.must(free >= 0, || format!("{pk}: more is used than {quota}"));
        self.kinds(pk);
        let trashed = self.trash(pk, &nodes);
        self.must(nodes.len() == entries.len() + trashed, || {
            let (nodes, entries) = (nodes.len(), entries.len());
            format!("{pk}: {nodes} nodes, {trashed} in the trash, {entries} entries")
        });
        let in_tree = |node: &&Value| node["trashed_at"].is_null();
        for node in nodes.iter().filter(in_tree) {
            let entry = entries.iter().find(|entry| entry["node"] == node["id"]);
            let shown = ["name", "parent", "file", "version", "created_at", "updated_at"];
            let fits = entry.is_some_and(|entry| shown.iter().all(|part| entry[part] == node[part]));
            self.must(fits, || format!("{pk}: a node and its entry: {node}, {entry:?}"));
            let parent = &node["parent"];
            let folder = nodes
                .iter()
                .find(|other| other["id"] == *parent && other["file"].is_null());
            self.must(parent.is_null() || folder.is_some(), || {
                format!("{pk}: in no folder: {node}")
            });
        }
        for node in &nodes {
            let children = nodes.iter().filter(in_tree);
            let children = children.filter(|child| child["parent"] == node["id"]).count();
            self.must(node["entries"] == children, || {
                format!("{pk}: it has {children} entries: {node}")
            });
        }
        self.folders(pk, &nodes);
        self.must(contents().count() == held.len(), || {
            let (contents, held) = (contents().count(), held.len());
            format!("{pk}: {contents} files and versions, {held} content references")
        });
        for (node, content) in contents() {
            let is_held = held.iter().any(|reference| {
                reference["node"] == *node
                    && reference["number"] == own_number(content)
                    && reference["blob"] == content["blob"]
                    && reference["content_id"] == content["content_id"]
            });
            self.must(is_held, || format!("{pk}: not held: {content} of {node}"));
            *references.entry(text(content, "blob").to_owned()).or_default() += 1;
        }
        for upload in &uploads {
            self.must(upload["state"] != "finalizing", || {
                format!("{pk}: nobody completes {upload}")
            });
        }
        for answer in self.of_partition(pk, "KEY#") {
            let said: Value = serde_json::from_str(text(&answer, "answer")).unwrap_or_default();
            // A file or folder may be deleted since.
            let is_node = said["kind"] == "folder" || said["kind"] == "file";
            let made = is_node || uploads.iter().any(|made| made["id"] == said["id"]);
            self.must(made, || format!("{pk}: remembered, and not there: {said}"));
        }
    }

    /// Each blob has the references that it counts, its parts, its content, and its bytes.
    fn blobs(&mut self, references: &BTreeMap<String, u64>) {
        let blobs: Vec<Value> = self
            .rows
            .iter()
            .filter(|row| row["sk"] == "BLOB")
            .cloned()
            .collect();
        for id in references.keys() {
            let there = blobs.iter().any(|blob| blob["id"] == **id);
            self.must(there, || format!("a file without its blob {id}"));
        }
        for blob in &blobs {
            let id = text(blob, "id");
            let expected = references.get(id).copied().unwrap_or_default();
            self.must(number(blob, "references") == expected, || {
                format!("{expected} files have this blob: {blob}")
            });
            self.must(expected > 0 || blob["due_at"].is_u64(), || {
                format!("nobody looks at it again: {blob}")
            });
            let mut digests: Vec<PartDigest> = Vec::new();
            for page in self.of_partition(&format!("BLOB#{id}"), "DIGESTS#") {
                digests.extend(
                    serde_json::from_value::<Vec<PartDigest>>(page["digests"].clone()).unwrap_or_default(),
                );
            }
            let content = text(blob, "content_id").to_owned();
            let written = ContentId::of_parts(&digests).map(|id| id.to_string());
            self.must(written.as_ref() == Some(&content), || {
                format!("other part digests: {blob}")
            });
            let is_lost = !blob["lost_since"].is_null();
            if blob["reclaiming"] == false && !is_lost {
                let scope = blob["scope"]
                    .as_str()
                    .map(|of| format!("#{of}"))
                    .unwrap_or_default();
                let known = self
                    .row(&format!("CONTENT#{content}{scope}"), "CONTENT")
                    .unwrap_or_default();
                self.must(known["blob"] == blob["id"], || {
                    format!("its content is not known: {blob}")
                });
            }
            if !is_lost {
                let bytes = self
                    .world
                    .cloud
                    .services()
                    .s3
                    .read(BUCKET, &format!("blobs/{id}"));
                let right = bytes.as_ref().is_some_and(|bytes| {
                    blob["size"] == bytes.len()
                        && content_id(bytes).is_some_and(|id| id.to_string() == content)
                });
                self.must(right, || {
                    format!("its bytes are {:?}: {blob}", bytes.map(|bytes| bytes.len()))
                });
            }
        }
    }

    /// Nothing is in the primary store that nobody knows.
    fn primary_objects(&mut self) {
        let services = self.world.cloud.services();
        let objects: Vec<String> = services.s3.objects(BUCKET).map(|object| object.key).collect();
        let uploads: Vec<String> = services.s3.uploads(BUCKET).map(|upload| upload.key).collect();
        drop(services);
        for key in objects {
            let known = key
                .strip_prefix("blobs/")
                .and_then(|id| self.row(&format!("BLOB#{id}"), "BLOB"));
            self.must(known.is_some(), || format!("an object without a blob: {key}"));
        }
        for key in uploads {
            let owner = key
                .strip_prefix("blobs/")
                .and_then(|id| self.row(&format!("BLOB#{id}"), "UPLOAD"));
            let upload = owner.and_then(|owner| {
                let pk = format!("ACCOUNT#{}", text(&owner, "account"));
                self.row(&pk, &format!("UPLOAD#{}", text(&owner, "upload")))
            });
            let live = upload.as_ref().is_some_and(is_live);
            self.must(live, || format!("parts of no upload: {key}"));
        }
    }

    /// Each blob is at each target, and nothing else is there.
    fn replicas(&mut self) {
        let replicas: Vec<Value> = self
            .rows
            .iter()
            .filter(|row| text(row, "sk").starts_with("REPLICA#") && text(row, "pk").starts_with("BLOB#"))
            .cloned()
            .collect();
        let hosts: Vec<String> = self.world.cloud.services().targets.keys().cloned().collect();
        let blobs = self
            .rows
            .iter()
            .filter(|row| row["sk"] == "BLOB" && number(row, "references") > 0);
        for blob in blobs.cloned().collect::<Vec<_>>() {
            let copies = replicas.iter().filter(|replica| replica["blob"] == blob["id"]);
            let copies = copies.count();
            self.must(copies == hosts.len(), || format!("{copies} replicas of {blob}"));
        }
        let mut known = BTreeSet::new();
        for replica in &replicas {
            let (blob, target) = (text(replica, "blob"), text(replica, "target"));
            let host = format!("{target}.simulation");
            let key = text(replica, "key").to_owned();
            self.must(replica["state"] == "available", || {
                format!("not replicated: {replica}")
            });
            let row = self.row(&format!("BLOB#{blob}"), "BLOB").unwrap_or_default();
            self.must(!row.is_null(), || format!("a replica of no blob: {replica}"));
            let services = self.world.cloud.services();
            let there = services
                .targets
                .get(&host)
                .and_then(|store| store.read(TARGET_BUCKET, &key));
            let primary = services.s3.read(BUCKET, &format!("blobs/{blob}"));
            drop(services);
            let is_content = |bytes| content_id(bytes).is_some_and(|id| row["content_id"] == id.to_string());
            let same = there == primary || primary.is_none() && there.as_ref().is_some_and(is_content);
            self.must(same, || {
                format!("other bytes than the primary object's: {replica}")
            });
            known.insert((host, key));
        }
        for host in hosts {
            let services = self.world.cloud.services();
            let Some(store) = services.targets.get(&host) else {
                continue;
            };
            let keys: Vec<String> = store.objects(TARGET_BUCKET).map(|object| object.key).collect();
            let open: Vec<String> = store.uploads(TARGET_BUCKET).map(|upload| upload.key).collect();
            drop(services);
            for key in keys {
                // What a target has that was dropped, and whose files are gone when it is back, nobody can know.
                let is_known = known.contains(&(host.clone(), key.clone())) || self.world.was_dropped(&host);
                self.must(is_known, || format!("nobody knows {key} at {host}"));
            }
            self.must(open.is_empty(), || {
                format!("multipart uploads at {host}: {open:?}")
            });
        }
    }

    /// What is counted of a target is what is there.
    fn counters(&mut self) {
        let hosts: Vec<String> = self.world.cloud.services().targets.keys().cloned().collect();
        for host in hosts {
            let name = host.trim_end_matches(".simulation");
            let mut counted = ReplicaCounters::default();
            for part in ReplicaCountersRow::keys_of(name) {
                let part = self.row(&part.pk, &part.sk).unwrap_or_default();
                counted += serde_json::from_value(part).unwrap_or_default();
            }
            // What was ever copied no replica tells.
            counted.copied_bytes = 0;
            let mut there = ReplicaCounters::default();
            let replicas = self.rows.iter();
            let replicas =
                replicas.filter(|row| text(row, "sk").starts_with("REPLICA#") && row["target"] == name);
            for replica in replicas {
                let state = serde_json::from_value(replica["state"].clone()).ok();
                there += ReplicaCounters::moved(None, state, number(replica, "size"));
            }
            self.must(counted == there, || {
                format!("{name} has {there:?}, counted are {counted:?}")
            });
        }
    }

    /// No message waits.
    fn queues(&mut self) {
        for queue in QUEUES {
            let messages: Vec<String> = match self.world.cloud.services().sqs.messages(queue) {
                Ok(messages) => messages.map(|message| message.body.clone()).collect(),
                Err(error) => vec![error.to_string()],
            };
            self.must(messages.is_empty(), || format!("in {queue}: {messages:?}"));
        }
    }
}

fn is_live(upload: &Value) -> bool {
    matches!(
        upload["state"].as_str(),
        Some("open" | "proof_required" | "finalizing")
    )
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_default()
}

/// Which content of its file a content is.
fn own_number(content: &Value) -> u64 {
    content["number"].as_u64().unwrap_or(1)
}
