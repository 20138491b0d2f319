//! Folders, and what is in the trash.

use super::Audit;
use domain::placement::MAX_DEPTH;
use serde_json::Value;

impl Audit<'_> {
    /// Each folder is written once more, with the same parent, and there is a way from it to the root, as short as it must be.
    pub(super) fn folders(&mut self, pk: &str, nodes: &[Value]) {
        let rows = self.of_partition(pk, "FOLDER#");
        let folders: Vec<_> = nodes.iter().filter(|node| node["file"].is_null()).collect();
        self.must(rows.len() == folders.len(), || {
            format!("{pk}: {} folders, {} of them alone", folders.len(), rows.len())
        });
        for folder in &folders {
            let same = |row: &&Value| {
                let is_trashed = row["trashed"] == true;
                row["id"] == folder["id"]
                    && row["parent"] == folder["parent"]
                    && is_trashed != folder["trashed_at"].is_null()
            };
            self.must(rows.iter().any(|row| same(&row)), || {
                format!("{pk}: not where it is said to be: {folder}")
            });
            let (mut depth, mut at) = (1, *folder);
            while let Some(parent) = folders
                .iter()
                .find(|other| at["trashed_at"].is_null() && other["id"] == at["parent"])
            {
                (depth, at) = (depth + 1, parent);
                if depth > MAX_DEPTH {
                    break;
                }
            }
            self.must(depth <= MAX_DEPTH, || {
                format!("{pk}: within itself, or too deep: {folder}")
            });
        }
    }

    /// What is in the trash has no entry, and is listed there once; nothing is there that should be gone. Returns how much there is.
    pub(super) fn trash(&mut self, pk: &str, nodes: &[Value]) -> usize {
        let rows = self.of_partition(pk, "TRASH#");
        let trashed: Vec<_> = nodes
            .iter()
            .filter(|node| !node["trashed_at"].is_null())
            .collect();
        self.must(rows.len() == trashed.len(), || {
            format!("{pk}: {} in the trash, {} listed", trashed.len(), rows.len())
        });
        for row in &rows {
            let same = |node: &&Value| node["id"] == row["node"] && node["trashed_at"] == row["trashed_at"];
            self.must(trashed.iter().any(same), || {
                format!("{pk}: listed, and not in the trash: {row}")
            });
            self.must(row["purging"] != true && row["due_at"].is_u64(), || {
                format!("{pk}: not removed: {row}")
            });
        }
        let emptied = self.row(pk, "EMPTIED");
        self.must(emptied.is_none(), || format!("{pk}: not emptied: {emptied:?}"));
        rows.len()
    }
}
