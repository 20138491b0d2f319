//! Removes what is in the trash: a file, or a folder with everything that is in it, from the bottom up, many files in each
//! transaction. Quotas and references are right at each moment; what is stopped half-way goes on from where it is.

use crate::file::versions;
use domain::id::NodeId;
use domain::name::Name;
use domain::trash::{came_later, expires_at};
use jiff::Timestamp;
use std::collections::BTreeSet;
use store::rows::{FileContent, NodeRow, TrashRow};
use store::table::Row;
use store::tree::MOST_TOGETHER;
use store::{ErrorKind, StoreError, Table};

/// How many things in one folder and those within it others may have changed before it is left to a later sweep.
const IN_VAIN: u32 = 1000;
/// How many entries are read at a time.
const PAGE: u32 = 500;

/// Removes things from the trash as long as `go_on` says so.
pub struct Purge<'a, F> {
    /// Where they are.
    pub table: &'a Table,
    /// How many days something may be in the trash.
    pub trash_days: u64,
    /// Whether there is time for one more transaction.
    pub go_on: F,
}

impl<F: Fn() -> bool> Purge<'_, F> {
    /// Removes one thing. A folder cannot be restored from now on. Returns whether all of it is gone.
    ///
    /// # Errors
    /// [`StoreError`]; trying again goes on. Of what cannot be removed all else is removed.
    pub async fn run(&self, row: &TrashRow) -> Result<bool, StoreError> {
        let Some(node) = self.in_trash(row).await? else {
            // It was restored, or somebody else removed it, and the row with it.
            self.table.trash().forget(row).await?;
            return Ok(true);
        };
        if node.file.is_none() {
            if !self.table.trash().begin_removal(row).await? {
                return Ok(true);
            }
            if !self.clear(&node, row.trashed_at).await? {
                return Ok(false);
            }
        } else if node.may_have_versions() {
            // It does not come back without them.
            let is_there = row.purging || self.table.trash().purge(&row.key(), row.trashed_at).await?;
            if !is_there {
                return Ok(true);
            }
        }
        if !versions::remove_all(self.table, &node, &self.go_on).await? {
            return Ok(false);
        }
        match self.table.tree().delete(&node, self.table.now()).await {
            Err(error) if error.is_conflict() && self.in_trash(row).await?.is_none() => Ok(true),
            done => done.map(|()| true),
        }
    }

    /// The file or folder of a row, if that is what is in the trash.
    async fn in_trash(&self, row: &TrashRow) -> Result<Option<NodeRow>, StoreError> {
        let there = self.table.tree().remains(&row.account, &row.node).await?;
        Ok(there.filter(|node| node.trashed_at == Some(row.trashed_at)))
    }

    /// Removes what is in a folder that came into the trash at this moment. Returns whether that is all.
    async fn clear(&self, root: &NodeRow, trashed_at: Timestamp) -> Result<bool, StoreError> {
        let mut left = Left::default();
        let mut levels = vec![Level::of(root.clone())];
        while let Some(level) = levels.last_mut() {
            if !(self.go_on)() {
                return Ok(false);
            }
            let nodes = self.read(level, &mut left).await?;
            if nodes.is_empty() {
                let Some(Level { folder, is_stuck, .. }) = levels.pop() else {
                    break;
                };
                let is_above = |level: &&mut Level| folder.parent.as_ref() == Some(&level.folder.id);
                match levels.iter_mut().rfind(is_above) {
                    Some(above) if is_stuck => {
                        above.is_stuck = true;
                        left.stuck.insert(folder.id);
                    }
                    Some(_) => self.remove(&folder, &mut left).await?,
                    None => {}
                }
                continue;
            }
            let (later, before): (Vec<_>, Vec<_>) = nodes
                .into_iter()
                .partition(|node| came_later(node.updated_at, trashed_at));
            for node in later {
                let set_aside = self.set_aside(&node).await;
                self.settle(&node, set_aside, &mut left).await?;
            }
            let (with_versions, before) = before.into_iter().partition(NodeRow::may_have_versions);
            for node in with_versions {
                if !self.remove_with_versions(&node, &mut left).await? {
                    return Ok(false);
                }
            }
            let (files, within) = by_kind(before);
            for some in files.chunks(MOST_TOGETHER) {
                if !(self.go_on)() {
                    return Ok(false);
                }
                self.remove_files(some, &mut left).await?;
            }
            levels.extend(within.into_iter().map(Level::of));
        }
        left.why.map_or(Ok(true), Err)
    }

    /// Reads some of what is in a folder and has not been found to stay.
    async fn read(&self, level: &mut Level, left: &mut Left) -> Result<Vec<NodeRow>, StoreError> {
        let (tree, Level { folder, .. }) = (self.table.tree(), &*level);
        let (folder, account) = (folder.id.clone(), folder.account.clone());
        loop {
            let page = tree
                .children(&account, Some(&folder), level.after.as_ref(), PAGE)
                .await?;
            let mut nodes = page.rows;
            for key in page.unreadable {
                let remains = tree.remains_behind(&account, &key).await?;
                let is_here =
                    |node: &NodeRow| node.parent.as_ref() == Some(&folder) && node.trashed_at.is_none();
                match remains.filter(is_here) {
                    Some(node) => nodes.push(node),
                    None => {
                        // What it refers to is not known, so it stays, and with it the folder.
                        level.is_stuck = true;
                        left.why.get_or_insert(StoreError::unreadable(key));
                    }
                }
            }
            let found = nodes.len();
            nodes.retain(|node| !left.stuck.contains(&node.id));
            level.is_stuck |= nodes.len() < found;
            if !nodes.is_empty() {
                return Ok(nodes);
            }
            match page.next.and_then(|name| name.parse().ok()) {
                None => return Ok(nodes),
                next => level.after = next,
            }
        }
    }

    /// What came into the folder when that was in the trash already is in the trash by itself, for as long as anything is.
    async fn set_aside(&self, node: &NodeRow) -> Result<(), StoreError> {
        let now = self.table.now();
        let expires_at = expires_at(now, self.trash_days.max(1));
        self.table.tree().trash(node, now, expires_at, false).await
    }

    /// Removes a file and its versions. Returns whether there was time for it.
    async fn remove_with_versions(&self, node: &NodeRow, left: &mut Left) -> Result<bool, StoreError> {
        match versions::remove_all(self.table, node, &self.go_on).await {
            Ok(true) => self.remove(node, left).await.map(|()| true),
            Ok(false) => Ok(false),
            Err(error) if error.kind == ErrorKind::Corrupt => {
                left.stuck.insert(node.id.clone());
                left.why.get_or_insert(error);
                Ok(true)
            }
            Err(error) => self.settle(node, Err(error), left).await.map(|()| true),
        }
    }

    async fn remove(&self, node: &NodeRow, left: &mut Left) -> Result<(), StoreError> {
        let removed = self.table.tree().delete(node, self.table.now()).await;
        self.settle(node, removed, left).await
    }

    /// Removes files of one folder: together, or, if one of them was changed meanwhile, each by itself.
    async fn remove_files(
        &self,
        files: &[(NodeRow, FileContent)],
        left: &mut Left,
    ) -> Result<(), StoreError> {
        let together = self.table.tree().delete_files(files, self.table.now()).await;
        if !together.as_ref().is_err_and(StoreError::is_conflict) {
            return together;
        }
        for (node, _) in files {
            self.remove(node, left).await?;
        }
        Ok(())
    }

    /// What somebody changed meanwhile is looked at again, as the folder it is in is not empty. What is as it was stays.
    async fn settle(
        &self,
        node: &NodeRow,
        done: Result<(), StoreError>,
        left: &mut Left,
    ) -> Result<(), StoreError> {
        let Err(error) = done else { return Ok(()) };
        if !error.is_conflict() {
            return Err(error);
        }
        let there = self.table.tree().remains(&node.account, &node.id).await?;
        if there.is_some_and(|there| there.version == node.version) {
            left.stuck.insert(node.id.clone());
            left.why.get_or_insert(error);
            return Ok(());
        }
        left.in_vain += 1;
        if left.in_vain > IN_VAIN {
            Err(error)
        } else {
            Ok(())
        }
    }
}

/// Files, and folders.
fn by_kind(nodes: Vec<NodeRow>) -> (Vec<(NodeRow, FileContent)>, Vec<NodeRow>) {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for node in nodes {
        match node.file.clone() {
            Some(file) => files.push((node, file)),
            None => folders.push(node),
        }
    }
    (files, folders)
}

/// A folder that is being cleared.
struct Level {
    folder: NodeRow,
    /// Nothing that has this name, or comes before it, can be removed.
    after: Option<Name>,
    /// Something in it cannot be removed.
    is_stuck: bool,
}

impl Level {
    fn of(folder: NodeRow) -> Self {
        Self {
            folder,
            after: None,
            is_stuck: false,
        }
    }
}

/// What is not removed.
#[derive(Default)]
struct Left {
    /// It cannot be, or something in it cannot be.
    stuck: BTreeSet<NodeId>,
    /// Why the first of it cannot be.
    why: Option<StoreError>,
    /// How often somebody else was faster.
    in_vain: u32,
}
