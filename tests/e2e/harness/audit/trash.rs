//! What is counted of the trash and of earlier versions.

use serde_json::Value;

/// Both are what is there. A file in the trash has its size there; a folder may not be counted yet.
pub(super) fn check(account: &Value, nodes: &[Value], trash: &[Value], versions: &[Value], what: &str) {
    let counted = |kind: &str| account[kind].as_i64().unwrap_or_default();
    let bytes: i64 = trash.iter().filter_map(|row| row["bytes"].as_i64()).sum();
    assert_eq!(counted("trash_bytes"), bytes, "{what}: {account}, {trash:?}");
    let sizes = versions.iter().filter_map(|row| row["file"]["size"].as_i64());
    assert_eq!(counted("version_bytes"), sizes.sum::<i64>(), "{what}: {account}");
    for row in trash {
        let node = nodes.iter().find(|node| node["id"] == row["node"]);
        let file = node.map(|node| &node["file"]).filter(|file| !file.is_null());
        if let Some(file) = file {
            assert_eq!(
                (&row["bytes"], &row["files"]),
                (&file["size"], &1.into()),
                "{what}: {row}"
            );
        }
    }
}
