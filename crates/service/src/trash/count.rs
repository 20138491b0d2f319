//! Counts what is in a folder that is in the trash. Nothing comes into it there that would go with it, so it is counted once, as much of it
//! in each sweep as there is time for.

use domain::id::NodeId;
use domain::name::Name;
use domain::trash::came_later;
use std::collections::VecDeque;
use store::rows::{CountedFolder, Counting, NodeRow, TrashRow};
use store::{StoreError, Table};

/// How many entries are read at a time.
const PAGE: u32 = 1000;

/// Counts folders as long as `go_on` says so.
pub struct Count<'a, F> {
    /// Where they are.
    pub table: &'a Table,
    /// Whether there is time to read some more.
    pub go_on: F,
}

impl<F: Fn() -> bool> Count<'_, F> {
    /// Counts one, or goes on with it. Returns whether nothing is left to do: it is counted, or is not in the trash any more.
    ///
    /// # Errors
    /// [`StoreError`]; trying again goes on.
    pub async fn run(&self, row: &TrashRow) -> Result<bool, StoreError> {
        let (tree, trash) = (self.table.tree(), self.table.trash());
        let mut count = Tally::of(row);
        while let Some(level) = count.levels.last_mut() {
            let Some(node) = level.ahead.pop_front() else {
                if level.is_over {
                    count.levels.pop();
                    continue;
                }
                if !(self.go_on)() {
                    trash.set_counting(row, &count.into_row()).await?;
                    return Ok(false);
                }
                let folder = Some(&level.folder);
                let page = tree
                    .children(&row.account, folder, level.after.as_ref(), PAGE)
                    .await?;
                level.ahead = page.rows.into();
                match page.next.and_then(|name| name.parse().ok()) {
                    // Those that cannot be read are not known to have any bytes.
                    Some(next) if level.ahead.is_empty() => level.after = Some(next),
                    Some(_) => {}
                    None => level.is_over = true,
                }
                continue;
            };
            level.after = Some(node.name);
            // It stays when the folder is removed.
            if came_later(node.updated_at, row.trashed_at) {
                continue;
            }
            match node.file {
                Some(file) => {
                    count.bytes += file.size;
                    count.files += 1;
                }
                None => count.levels.push(Level::of(node.id, None)),
            }
        }
        trash.set_counted(row, count.bytes, count.files).await?;
        Ok(true)
    }
}

/// What is counted, and where to go on.
struct Tally {
    bytes: u64,
    files: u64,
    levels: Vec<Level>,
}

/// A folder that is being counted.
struct Level {
    folder: NodeId,
    /// The last name that is counted, or whose folder is the next level.
    after: Option<Name>,
    /// What is read, and comes after that.
    ahead: VecDeque<NodeRow>,
    /// Nothing comes after what is read.
    is_over: bool,
}

impl Level {
    fn of(folder: NodeId, after: Option<Name>) -> Self {
        Self {
            folder,
            after,
            ahead: VecDeque::new(),
            is_over: false,
        }
    }
}

impl Tally {
    /// As the row has it.
    fn of(row: &TrashRow) -> Self {
        let counting = row.counting.clone().unwrap_or_else(|| Counting {
            bytes: 0,
            files: 0,
            folders: vec![CountedFolder {
                folder: row.node.clone(),
                after: None,
            }],
        });
        let levels = counting.folders.into_iter();
        Self {
            bytes: counting.bytes,
            files: counting.files,
            levels: levels.map(|level| Level::of(level.folder, level.after)).collect(),
        }
    }

    fn into_row(self) -> Counting {
        let folders = self.levels.into_iter();
        let folders = folders.map(|Level { folder, after, .. }| CountedFolder { folder, after });
        Counting {
            bytes: self.bytes,
            files: self.files,
            folders: folders.collect(),
        }
    }
}
