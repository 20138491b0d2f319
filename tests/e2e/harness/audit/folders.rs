//! The folders of an account.

use domain::placement::MAX_DEPTH;
use serde_json::Value;

/// Each is written once more, by itself, and there is a way from it to the root or to a folder in the trash, as short as it must be.
pub(super) fn check(nodes: &[Value], rows: &[Value], what: &str) {
    let in_tree = |node: &&Value| node["trashed_at"].is_null();
    let folders: Vec<_> = nodes.iter().filter(|node| node["file"].is_null()).collect();
    assert_eq!(folders.len(), rows.len(), "{what}: folders alone");
    for folder in folders {
        let same = |row: &Value| row["id"] == folder["id"] && row["parent"] == folder["parent"];
        assert!(rows.iter().any(same), "{what}: {folder}");
        let (mut steps, mut at) = (0, folder);
        let above = |at: &Value| {
            nodes
                .iter()
                .find(|node| in_tree(&at) && node["id"] == at["parent"])
        };
        while let Some(parent) = above(at) {
            (steps, at) = (steps + 1, parent);
            assert!(steps < MAX_DEPTH, "{what}: within itself, or too deep: {folder}");
        }
    }
}
