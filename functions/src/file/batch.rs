//! Moves, deletes or restores many files and folders. Each is answered as a request about this one would have been.

use super::relocation::Relocation;
use super::removal::{self, Removal};
use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::id::{AccountId, NodeId};
use domain::placement::{Destination, NewParent};
use domain::token::Scope;
use futures::FutureExt;
use jiff::Timestamp;
use service::file::delete::{Deletion, delete, delete_files, most_files};
use service::file::relocate::relocate_files;
use service::file::together::{self, Way};
use std::collections::HashMap;
use store::rows::NodeRow;
use store::table::{Key, Rows};
use store::tree::MOST_MOVED;
use store::{Environment, StoreError, Table};
use wire::batch::{Batch, Item, ItemResult, Items, Results, Work};
use wire::body::Json;
use wire::file::{Delete, Update};
use wire::precondition::IfMatch;
use wire::trash::Restore;
use wire::{Declares, code};

pub static FUNCTION: Function = Function::served_by::<FileBatch>();

pub struct FileBatch {
    relocation: Relocation,
    removal: Removal,
}

/// What is done to the items.
trait Deed: together::Work<Problem = Problem<Self::Single>> {
    /// The endpoint that does it to one.
    type Single: Declares<code::NotFound> + Declares<code::PreconditionFailed> + Declares<code::Unavailable>;

    /// Of something that is there and cannot be read.
    fn unreadable(key: Key) -> Problem<Self::Single> {
        StoreError::unreadable(key).into()
    }

    /// What is answered when it is done.
    fn answer(id: NodeId, done: Self::Done) -> ItemResult;
}

/// They go to another folder.
struct Moving<'a>(&'a Relocation, Destination);

/// They come back from the trash.
struct Restoring<'a>(&'a Relocation, Destination);

/// They go to the trash, or for ever.
struct Removing<'a>(&'a Removal, Deletion);

/// Brings files to their destination together.
async fn relocate_together(
    relocation: &Relocation,
    files: &[NodeRow],
    destination: &Destination,
    now: Timestamp,
) -> Result<Vec<NodeRow>, StoreError> {
    let there = relocate_files(&relocation.table, files, destination, now).await?;
    for file in &there {
        relocation.ensure_replicas(file).await;
    }
    Ok(there)
}

/// The way of a file to its destination.
fn way_to(destination: &Destination, node: &NodeRow) -> Option<Way> {
    let (_, folder) = destination.of(&node.name, node.parent.as_ref());
    Way::into_folder(node, folder.as_ref())
}

impl together::Work for Moving<'_> {
    type Done = NodeRow;
    type Problem = Problem<Update>;

    fn most(&self) -> usize {
        MOST_MOVED
    }

    fn way(&self, node: &NodeRow) -> Option<Way> {
        way_to(&self.1, node).filter(|_| node.trashed_at.is_none())
    }

    async fn together(&self, files: &[NodeRow], now: Timestamp) -> Result<Vec<NodeRow>, StoreError> {
        relocate_together(self.0, files, &self.1, now).await
    }

    async fn alone(&self, node: &NodeRow, now: Timestamp) -> Result<NodeRow, Problem<Update>> {
        self.0.update(node, &self.1, now).await
    }
}

impl Deed for Moving<'_> {
    type Single = Update;

    fn answer(id: NodeId, there: NodeRow) -> ItemResult {
        let node = Box::new(views::node(&there));
        ItemResult::There { id, node }
    }
}

impl together::Work for Restoring<'_> {
    type Done = NodeRow;
    type Problem = Problem<Restore>;

    fn most(&self) -> usize {
        MOST_MOVED
    }

    fn way(&self, node: &NodeRow) -> Option<Way> {
        way_to(&self.1, node).filter(|_| node.trashed_at.is_some())
    }

    async fn together(&self, files: &[NodeRow], now: Timestamp) -> Result<Vec<NodeRow>, StoreError> {
        relocate_together(self.0, files, &self.1, now).await
    }

    async fn alone(&self, node: &NodeRow, now: Timestamp) -> Result<NodeRow, Problem<Restore>> {
        self.0.restore(node, &self.1, now).await
    }
}

impl Deed for Restoring<'_> {
    type Single = Restore;

    fn answer(id: NodeId, there: NodeRow) -> ItemResult {
        let node = Box::new(views::node(&there));
        ItemResult::There { id, node }
    }
}

impl together::Work for Removing<'_> {
    /// How many uploads into it are open.
    type Done = u32;
    type Problem = Problem<Delete>;

    fn most(&self) -> usize {
        most_files(self.1)
    }

    fn way(&self, node: &NodeRow) -> Option<Way> {
        let is_alone = match self.1 {
            Deletion::IntoTrash { .. } => node.trashed_at.is_some(),
            // The versions go before the file.
            Deletion::Permanent | Deletion::PermanentIfEmpty => node.may_have_versions(),
        };
        Way::away(node).filter(|_| !is_alone)
    }

    async fn together(&self, files: &[NodeRow], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        delete_files(&self.0.table, files, self.1, now).await?;
        Ok(vec![0; files.len()])
    }

    async fn alone(&self, node: &NodeRow, now: Timestamp) -> Result<u32, Problem<Delete>> {
        Ok(delete(&self.0.table, node, self.1, now).await?)
    }
}

impl Deed for Removing<'_> {
    type Single = Delete;

    fn unreadable(_: Key) -> Problem<Delete> {
        removal::unreadable()
    }

    fn answer(id: NodeId, open_uploads: u32) -> ItemResult {
        let open_uploads = Some(open_uploads).filter(|open| *open > 0);
        ItemResult::Gone { id, open_uploads }
    }
}

impl FileBatch {
    /// The files and folders that there are.
    async fn read(&self, account: &AccountId, items: &Items) -> Result<Rows<NodeRow>, StoreError> {
        let keys = items.as_slice().iter();
        let keys = keys.map(|item| NodeRow::key_of(account, &item.id));
        self.relocation.table.get_many(keys).await
    }

    async fn relocate<D: Deed>(
        &self,
        account: &AccountId,
        items: &Items,
        deed: D,
    ) -> Result<Results, StoreError> {
        let read = self.read(account, items).await?;
        let table = &self.relocation.table;
        Ok(each(table, account, items, read, &deed).boxed().await)
    }

    async fn remove(
        &self,
        account: &AccountId,
        items: &Items,
        permanently: bool,
    ) -> Result<Results, StoreError> {
        let table = &self.removal.table;
        let mut read = self.read(account, items).await?;
        // What else of them cannot be read does not matter any more.
        let remains = table.tree().remains_of(account, &read.unreadable).await?;
        read.rows.extend(remains);
        let deed = Removing(&self.removal, self.removal.deletion(permanently));
        Ok(each(table, account, items, read, &deed).boxed().await)
    }
}

/// Does it to each item that was read. What is wrong with others is answered.
async fn each<D: Deed>(
    table: &Table,
    account: &AccountId,
    items: &Items,
    Rows { rows, unreadable }: Rows<NodeRow>,
    deed: &D,
) -> Results {
    let rows = rows.into_iter().map(|node| (node.id.clone(), node));
    let mut rows: HashMap<NodeId, NodeRow> = rows.collect();
    let mut find = |Item { id, version }: &Item| -> Result<NodeRow, Problem<D::Single>> {
        let Some(node) = rows.remove(id) else {
            let key = NodeRow::key_of(account, id);
            return Err(if unreadable.contains(&key) {
                D::unreadable(key)
            } else {
                Problem::not_found("file or folder")
            });
        };
        lookup::expect(version.map(IfMatch::from).as_ref(), &node)?;
        Ok(node)
    };
    let (mut nodes, mut results) = (Vec::new(), HashMap::new());
    for item in items.as_slice() {
        match find(item) {
            Ok(node) => nodes.push(node),
            Err(problem) => {
                results.insert(item.id.clone(), Err(problem));
            }
        }
    }
    results.extend(together::each(table, deed, &nodes).await);
    let result = |Item { id, .. }: &Item| match results.remove(id) {
        Some(Ok(done)) => D::answer(id.clone(), done),
        Some(Err(problem)) => refused(id, problem),
        None => refused(id, not_tried::<D::Single>()),
    };
    Results {
        results: items.as_slice().iter().map(result).collect(),
    }
}

fn refused<E: wire::Endpoint>(id: &NodeId, problem: Problem<E>) -> ItemResult {
    let (id, problem) = (id.clone(), problem.into_part());
    ItemResult::Refused { id, problem }
}

fn not_tried<E: Declares<code::Unavailable>>() -> Problem<E> {
    let detail = "there was no time left to try it; send it again";
    Problem::new(code::Unavailable, detail)
}

impl Handler for FileBatch {
    type Endpoint = Batch;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            relocation: Relocation::from_env(environment)?,
            removal: Removal::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Batch>) -> Result<Json<Results>, Problem<Batch>> {
        let (caller, relocation) = (&request.caller, &self.relocation);
        let account = &caller.account.id;
        let results = match request.body {
            Work::Move {
                items,
                parent,
                on_conflict,
            } => {
                caller.needs(Scope::Upload)?;
                let to = Destination {
                    name: None,
                    parent: parent.map_or(NewParent::Root, NewParent::Folder),
                    on_conflict,
                };
                self.relocate(account, &items, Moving(relocation, to)).await
            }
            Work::Restore {
                items,
                parent,
                on_conflict,
            } => {
                caller.needs(Scope::Upload)?;
                let to = Destination {
                    name: None,
                    parent,
                    on_conflict,
                };
                self.relocate(account, &items, Restoring(relocation, to)).await
            }
            Work::Trash { items } => {
                caller.needs(Scope::Admin)?;
                self.remove(account, &items, false).await
            }
            Work::Delete { items } => {
                caller.needs(Scope::Admin)?;
                self.remove(account, &items, true).await
            }
        };
        Ok(Json(results?))
    }
}
