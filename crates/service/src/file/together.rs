//! Does the same to many files and folders. Files that go from one place to another share transactions; what is not a file, or shares a
//! transaction that conflicts, goes by itself.
//!
//! One transaction comes after the other. Nearly all of them would meet at an item: the folder that files go to or come from, what the
//! account has room for, whether its folders were moved. DynamoDB refuses transactions that meet.

use domain::id::NodeId;
use domain::name::Name;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use store::rows::NodeRow;
use store::{StoreError, Table};
use tokio::time::timeout;

/// How long something more is begun.
const BEGINS: SignedDuration = SignedDuration::from_secs(20);
/// How long is waited for what was begun. The function has a moment more to answer.
const ENDS: SignedDuration = SignedDuration::from_secs(26);

/// What is done to each.
pub trait Work: Sync {
    /// What comes of it.
    type Done: Send + Sync;
    /// What comes of it when it cannot be done.
    type Problem: From<StoreError> + Send + Sync;

    /// How many share a transaction at most.
    fn most(&self) -> usize;

    /// The way of a file that may share a transaction with others that have the same way and other names. What has none goes by
    /// itself.
    fn way(&self, node: &NodeRow) -> Option<Way>;

    /// Does it to all of them or none.
    fn together(
        &self,
        files: &[NodeRow],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Self::Done>, StoreError>> + Send;

    /// Does it to one.
    fn alone(
        &self,
        node: &NodeRow,
        now: Timestamp,
    ) -> impl Future<Output = Result<Self::Done, Self::Problem>> + Send;
}

/// From where a file goes, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    from: Place,
    to: Option<Place>,
}

/// The trash, or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Trash,
    Folder(Option<NodeId>),
}

impl Way {
    /// The way of a file into a folder; none is the root. `None` of what is no file, is there already, or is the folder.
    #[must_use]
    pub fn into_folder(node: &NodeRow, folder: Option<&NodeId>) -> Option<Self> {
        let (from, to) = (of(node), Place::Folder(folder.cloned()));
        let goes = node.file.is_some() && folder != Some(&node.id) && from != to;
        goes.then_some(Self { from, to: Some(to) })
    }

    /// The way of a file to nowhere, or into the trash. `None` of what is no file.
    #[must_use]
    pub fn away(node: &NodeRow) -> Option<Self> {
        let from = of(node);
        node.file.as_ref().map(|_| Self { from, to: None })
    }
}

/// Where a node is.
fn of(node: &NodeRow) -> Place {
    match node.trashed_at {
        Some(_) => Place::Trash,
        None => Place::Folder(node.parent.clone()),
    }
}

/// Does it to each of them, those that come first first, until the time is over. Returns what came of those that were tried.
pub async fn each<W: Work>(
    table: &Table,
    work: &W,
    nodes: &[NodeRow],
) -> HashMap<NodeId, Result<W::Done, W::Problem>> {
    let mut run = Run {
        table,
        work,
        begins: table.from_now(BEGINS),
        ends: table.from_now(ENDS),
        results: HashMap::new(),
    };
    for group in groups(work, nodes) {
        run.group(&group).await;
    }
    run.results
}

/// Nodes that go together; many by themselves. In the order of their first ones.
fn groups<W: Work>(work: &W, nodes: &[NodeRow]) -> Vec<Vec<NodeRow>> {
    struct Group<'a> {
        way: Option<Way>,
        names: HashSet<&'a Name>,
        nodes: Vec<NodeRow>,
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for node in nodes {
        let way = work.way(node);
        let fits = |group: &&mut Group<'_>| {
            let has_room = group.nodes.len() < work.most() && !group.names.contains(&node.name);
            way.is_some() && group.way == way && has_room
        };
        if let Some(group) = groups.iter_mut().find(fits) {
            group.names.insert(&node.name);
            group.nodes.push(node.clone());
        } else {
            groups.push(Group {
                way,
                names: HashSet::from([&node.name]),
                nodes: vec![node.clone()],
            });
        }
    }
    groups.into_iter().map(|group| group.nodes).collect()
}

struct Run<'a, W: Work> {
    table: &'a Table,
    work: &'a W,
    begins: Timestamp,
    ends: Timestamp,
    results: HashMap<NodeId, Result<W::Done, W::Problem>>,
}

impl<W: Work> Run<'_, W> {
    async fn group(&mut self, nodes: &[NodeRow]) {
        if self.is_over() {
            return;
        }
        // What is tried again is known as what was tried before.
        let now = self.table.now();
        if nodes.len() > 1 {
            match self.in_time(self.work.together(nodes, now)).await {
                Ok(done) => {
                    let ids = nodes.iter().map(|node| node.id.clone());
                    return self.results.extend(ids.zip(done.into_iter().map(Ok)));
                }
                // One of them is not what it was, or its name is taken: each says for itself.
                Err(error) if error.is_conflict() => {}
                Err(error) => {
                    let failed = |node: &NodeRow| (node.id.clone(), Err(error.clone().into()));
                    return self.results.extend(nodes.iter().map(failed));
                }
            }
        }
        for node in nodes {
            if self.is_over() {
                return;
            }
            let done = self.in_time(self.work.alone(node, now)).await;
            self.results.insert(node.id.clone(), done);
        }
    }

    /// Whether nothing more is begun.
    fn is_over(&self) -> bool {
        self.table.until(self.begins).is_zero()
    }

    /// Does something, but not for longer than there is time.
    async fn in_time<T, E: From<StoreError>>(
        &self,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let left = self.table.until(self.ends).unsigned_abs();
        let done = timeout(left, doing).await;
        done.unwrap_or_else(|_| Err(StoreError::unavailable("a part of a batch", "it took too long").into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::content::{ContentId, PartDigest};
    use store::rows::FileContent;

    /// Moves files to the root, three at a time.
    struct ToRoot;

    impl Work for ToRoot {
        type Done = ();
        type Problem = StoreError;

        fn most(&self) -> usize {
            3
        }

        fn way(&self, node: &NodeRow) -> Option<Way> {
            Way::into_folder(node, None)
        }

        async fn together(&self, files: &[NodeRow], _: Timestamp) -> Result<Vec<()>, StoreError> {
            Ok(vec![(); files.len()])
        }

        async fn alone(&self, _: &NodeRow, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn node(id: &str, name: &str, parent: Option<&str>, is_file: bool) -> NodeRow {
        let place = (
            name.parse().unwrap(),
            parent.map(|parent| parent.parse().unwrap()),
        );
        let content = ContentId::of_parts(&[PartDigest::of(b"x")]).unwrap();
        let file = is_file.then(|| FileContent::new(1, None, content, "b".parse().unwrap()));
        let account = "ann".parse().unwrap();
        NodeRow::new(id.parse().unwrap(), account, place, file, Timestamp::UNIX_EPOCH)
    }

    fn grouped(nodes: &[NodeRow]) -> Vec<String> {
        let ids = |group: Vec<NodeRow>| group.iter().map(|node| node.id.to_string()).collect();
        groups(&ToRoot, nodes).into_iter().map(ids).collect()
    }

    #[test]
    fn files_of_one_way_and_different_names_go_together() {
        let trashed = NodeRow {
            trashed_at: Some(Timestamp::UNIX_EPOCH),
            ..node("t", "t", Some("f"), true)
        };
        let nodes = [
            node("a", "a", Some("f"), true),
            node("g", "g", Some("f"), false),
            node("b", "b", Some("h"), true),
            node("c", "c", Some("f"), true),
            trashed,
            node("d", "a", Some("f"), true),
            node("e", "e", Some("f"), true),
            node("i", "i", Some("f"), true),
            node("j", "j", Some("f"), false),
        ];
        assert_eq!(grouped(&nodes), ["ace", "g", "b", "t", "di", "j"]);
    }

    #[test]
    fn the_folder_that_files_go_into_is_none_of_them() {
        let file = node("a", "a", Some("f"), true);
        let other = node("b", "b", Some("f"), true);
        assert_eq!(Way::into_folder(&file, Some(&file.id)), None);
        assert!(Way::into_folder(&other, Some(&file.id)).is_some());
        assert_eq!(Way::into_folder(&file, file.parent.as_ref()), None);
        // The root is a folder like any other, and the trash is none.
        let top = Way::away(&node("c", "c", None, true));
        let trashed = Way::away(&NodeRow {
            trashed_at: Some(Timestamp::UNIX_EPOCH),
            ..node("c", "c", None, true)
        });
        assert!(top.is_some() && trashed.is_some() && top != trashed);
    }
}
