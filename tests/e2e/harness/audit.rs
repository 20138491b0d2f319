//! What must hold whatever happened: the design's invariants, checked against what is written in the table.

use super::aws::{item, items, multipart_uploads, object};
use super::person::Person;
use super::stack::stack;
use serde_json::Value;

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

/// Checks all that is written about an account: its quota is exact, its tree is whole, and every file's bytes are
/// there. Gives how many files it has.
pub(crate) async fn account(person: &Person) -> usize {
    let pk = person.partition();
    let row = item(&pk, "ACCOUNT").await.unwrap();
    let (nodes, entries) = (items(&pk, "NODE#").await, items(&pk, "ENTRY#").await);
    let (holdings, uploads) = (items(&pk, "HOLDS#").await, items(&pk, "UPLOAD#").await);
    let files: Vec<&Value> = nodes.iter().filter(|node| !node["file"].is_null()).collect();

    let stored: u64 = files
        .iter()
        .map(|node| node["file"]["size"].as_u64().unwrap())
        .sum();
    let live = |upload: &&Value| matches!(upload["state"].as_str(), Some("open" | "finalizing"));
    let reserved: u64 = uploads
        .iter()
        .filter(live)
        .map(|upload| upload["size"].as_u64().unwrap())
        .sum();
    let used = row["quota_bytes"].as_u64().unwrap() - row["free_bytes"].as_u64().unwrap();
    assert_eq!(
        used,
        stored + reserved,
        "quota: {stored} in files, {reserved} reserved"
    );

    assert_eq!(nodes.len(), entries.len(), "each node has one entry");
    for node in &nodes {
        let entry = entries
            .iter()
            .find(|entry| entry["node"] == node["id"])
            .expect("a node without an entry");
        assert_eq!(
            (&entry["name"], &entry["parent"]),
            (&node["name"], &node["parent"])
        );
        let children = nodes.iter().filter(|child| child["parent"] == node["id"]).count();
        assert_eq!(node["entries"], children, "{node}");
    }
    assert_eq!(files.len(), holdings.len(), "each file is a holding");
    for file in &files {
        let blob_id = file["file"]["blob"].as_str().unwrap();
        let blob = item(&format!("BLOB#{blob_id}"), "BLOB")
            .await
            .expect("a file without its blob");
        let mine = files
            .iter()
            .filter(|other| other["file"]["blob"] == blob_id)
            .count() as u64;
        assert!(blob["references"].as_u64().unwrap() >= mine, "{blob}");
        assert_eq!(blob["content_id"], file["file"]["content_id"]);
        let replicas = items(&format!("BLOB#{blob_id}"), "REPLICA#").await;
        assert_eq!(
            replicas.len(),
            stack().targets.len(),
            "one replica for each target"
        );
    }
    files.len()
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
    assert_eq!(replicas.len(), stack().targets.len());
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
