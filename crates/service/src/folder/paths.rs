//! Where folders are.

use domain::id::{AccountId, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use store::rows::NodeRow;
use store::{StoreError, Table};

/// Folders of an account, and all that they are in. Each is read once.
pub struct Paths<'a> {
    table: &'a Table,
    account: &'a AccountId,
    known: Known,
}

/// `None`: it is not there.
#[derive(Default)]
struct Known(BTreeMap<NodeId, Option<NodeRow>>);

impl<'a> Paths<'a> {
    /// Without any folders yet.
    #[must_use]
    pub fn new(table: &'a Table, account: &'a AccountId) -> Self {
        Self {
            table,
            account,
            known: Known::default(),
        }
    }

    /// Reads folders, and all that they are in. Each level is one call for each hundred that are not known; returns how many calls
    /// that took.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&mut self, folders: impl IntoIterator<Item = NodeId>) -> Result<u64, StoreError> {
        let mut calls = 0;
        let mut next: BTreeSet<NodeId> = folders.into_iter().collect();
        loop {
            next.retain(|id| !self.known.0.contains_key(id));
            if next.is_empty() {
                return Ok(calls);
            }
            calls += next.len().div_ceil(100) as u64;
            let keys = next.iter().map(|id| NodeRow::key_of(self.account, id));
            let read: Vec<NodeRow> = self.table.get_many(keys).await?.rows;
            self.known.0.extend(next.into_iter().map(|id| (id, None)));
            next = read.iter().filter_map(|node| node.parent.clone()).collect();
            let read = read.into_iter().map(|node| (node.id.clone(), Some(node)));
            self.known.0.extend(read);
        }
    }

    /// The path of a folder that was read, if there is a way to the top that does not lead through the trash.
    #[must_use]
    pub fn of(&self, folder: &NodeId) -> Option<String> {
        self.known.path_of(folder)
    }

    /// Whether a folder that was read is the other one, or is within it, and not in the trash.
    #[must_use]
    pub fn is_within(&self, folder: &NodeId, other: &NodeId) -> bool {
        self.known.is_within(folder, other)
    }
}

impl Known {
    /// The folder and all that it is in, up to the top.
    fn way_up(&self, folder: &NodeId) -> Option<Vec<&NodeRow>> {
        let (mut way, mut next) = (Vec::new(), Some(folder));
        while let Some(id) = next {
            // More than there are is a ring, which there cannot be.
            if way.len() == self.0.len() {
                return None;
            }
            let node = self.0.get(id)?.as_ref();
            let node = node.filter(|node| node.trashed_at.is_none())?;
            way.push(node);
            next = node.parent.as_ref();
        }
        Some(way)
    }

    fn path_of(&self, folder: &NodeId) -> Option<String> {
        let way = self.way_up(folder)?;
        let names = way.iter().rev().map(|node| format!("/{}", node.name));
        Some(names.collect())
    }

    fn is_within(&self, folder: &NodeId, other: &NodeId) -> bool {
        let way = self.way_up(folder);
        way.is_some_and(|way| way.iter().any(|node| node.id == *other))
    }
}

/// The paths of folders; those that are not in the tree any more are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn paths(
    table: &Table,
    account: &AccountId,
    folders: impl IntoIterator<Item = NodeId>,
) -> Result<BTreeMap<NodeId, String>, StoreError> {
    let wanted: BTreeSet<NodeId> = folders.into_iter().collect();
    let mut paths = Paths::new(table, account);
    paths.read(wanted.iter().cloned()).await?;
    let path = |id: NodeId| Some((id.clone(), paths.of(&id)?));
    Ok(wanted.into_iter().filter_map(path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn folder(id: &str, parent: Option<&str>, trashed: bool) -> (NodeId, Option<NodeRow>) {
        let (account, now) = ("ann".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let place = (id.parse().unwrap(), parent.map(|parent| parent.parse().unwrap()));
        let node = NodeRow {
            trashed_at: trashed.then_some(now),
            ..NodeRow::new(id.parse().unwrap(), account, place, None, now)
        };
        (node.id.clone(), Some(node))
    }

    fn id(text: &str) -> NodeId {
        text.parse().unwrap()
    }

    fn known() -> Known {
        let mut known: BTreeMap<_, _> = [
            folder("a", None, false),
            folder("b", Some("a"), false),
            folder("c", Some("b"), true),
            folder("d", Some("c"), false),
            folder("e", Some("gone"), false),
            folder("f", Some("g"), false),
            folder("g", Some("f"), false),
        ]
        .into_iter()
        .collect();
        known.insert(id("gone"), None);
        Known(known)
    }

    #[test]
    fn a_path_ends_at_the_top_or_is_none() {
        let known = known();
        let path = |folder: &str| known.path_of(&id(folder));
        assert_eq!(path("a").as_deref(), Some("/a"));
        assert_eq!(path("b").as_deref(), Some("/a/b"));
        for none in ["c", "d", "e", "f", "gone", "h"] {
            assert_eq!(path(none), None, "{none}");
        }
        let one = Known([folder("a", None, false)].into_iter().collect());
        assert_eq!(one.path_of(&id("a")).as_deref(), Some("/a"));
    }

    #[test]
    fn a_folder_is_within_itself_and_all_above_it_up_to_the_trash() {
        let known = known();
        let is_within = |folder: &str, other: &str| known.is_within(&id(folder), &id(other));
        assert!(is_within("b", "a") && is_within("b", "b") && is_within("a", "a"));
        assert!(!is_within("a", "b"));
        for (folder, other) in [
            ("d", "c"),
            ("d", "a"),
            ("c", "c"),
            ("e", "gone"),
            ("f", "g"),
            ("f", "f"),
        ] {
            assert!(!is_within(folder, other), "{folder} in {other}");
        }
    }
}
