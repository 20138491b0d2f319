//! Folders, and what is in the trash.

use super::{Audit, number, text};
use domain::placement::MAX_DEPTH;
use domain::trash::came_later;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// After this long, and some sweeps, what is in the trash is counted.
const COUNTED_AFTER: SignedDuration = SignedDuration::from_mins(15);

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
        for row in &rows {
            self.counted(pk, row, nodes);
        }
        rows.len()
    }

    /// What is counted of the trash and of earlier versions is what is there.
    pub(super) fn kinds(&mut self, pk: &str) {
        let account = self.row(pk, "ACCOUNT").unwrap_or_default();
        let trash = self.of_partition(pk, "TRASH#");
        let trash: u64 = trash.iter().map(|row| number(row, "bytes")).sum();
        let versions = self.of_partition(pk, "VERSION#");
        let versions: u64 = versions.iter().map(|row| number(&row["file"], "size")).sum();
        for (kind, there) in [("trash_bytes", trash), ("version_bytes", versions)] {
            let counted = account[kind].as_i64().unwrap_or_default();
            self.must(i64::try_from(there).ok() == Some(counted), || {
                format!("{pk}: {there} bytes are there, {kind} is {counted}")
            });
        }
    }

    /// A file in the trash has its size there; a folder is counted, with all that is removed with it.
    fn counted(&mut self, pk: &str, row: &Value, nodes: &[Value]) {
        let Some(root) = nodes.iter().find(|node| node["id"] == row["node"]) else {
            return;
        };
        let (bytes, files) = (row["bytes"].as_u64(), row["files"].as_u64());
        if !root["file"].is_null() {
            let is_right = (bytes, files) == (root["file"]["size"].as_u64(), Some(1));
            self.must(is_right, || format!("{pk}: of another size: {row}, {root}"));
            return;
        }
        let Ok(trashed_at) = text(row, "trashed_at").parse::<Timestamp>() else {
            return self.must(false, || format!("{pk}: in the trash at no time: {row}"));
        };
        let (Some(bytes), Some(files)) = (bytes, files) else {
            let is_new = self.world.cloud.now().duration_since(trashed_at) < COUNTED_AFTER;
            return self.must(is_new, || format!("{pk}: nobody has counted it: {row}"));
        };
        let later = |node: &Value| {
            let changed_at = text(node, "updated_at").parse();
            changed_at.is_ok_and(|changed_at| came_later(changed_at, trashed_at))
        };
        let (mut there, mut of_files, mut within) = (0, 0, vec![&root["id"]]);
        while let Some(folder) = within.pop() {
            let inside =
                |node: &&Value| node["parent"] == *folder && node["trashed_at"].is_null() && !later(node);
            for node in nodes.iter().filter(inside) {
                if node["file"].is_null() {
                    within.push(&node["id"]);
                } else {
                    there += number(&node["file"], "size");
                    of_files += 1;
                }
            }
        }
        // What was moved out since is counted, too.
        self.must(bytes >= there && files >= of_files, || {
            format!("{pk}: {of_files} files of {there} bytes are in it: {row}")
        });
    }
}
