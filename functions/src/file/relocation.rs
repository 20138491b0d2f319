//! What the functions share that bring files and folders somewhere else.

use api::{Problem, views};
use domain::placement::{Destination, OnConflict, is_numbered};
use jiff::Timestamp;
use service::file::ensure_replicas::ensure_replicas;
use service::file::relocate::relocate;
use store::rows::NodeRow;
use store::{Conflict, Environment, StartQueue, StoreError, Table};
use wire::answer::Tagged;
use wire::file::{Node, Update};
use wire::trash::Restore;
use wire::{Declares, code};

/// Brings files and folders somewhere else.
pub(crate) struct Relocation {
    pub(crate) table: Table,
    queue: StartQueue,
    trash_days: u64,
}

impl Relocation {
    pub(crate) fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            trash_days: environment.number("TRASH_DAYS")?,
        })
    }

    /// Renames or moves a node that was read.
    pub(crate) async fn update(
        &self,
        node: &NodeRow,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<NodeRow, Problem<Update>> {
        if node.trashed_at.is_some() {
            return Err(StoreError::from(Conflict::InTrash).into());
        }
        let there = self.relocate(node, destination, now).await?;
        if there.parent != node.parent {
            self.ensure_replicas(&there).await;
        }
        Ok(there)
    }

    /// Brings a node that was read back from the trash. What has come back already stays as it is: the answer that said so got lost.
    pub(crate) async fn restore(
        &self,
        node: &NodeRow,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<NodeRow, Problem<Restore>> {
        let there = if node.trashed_at.is_some() {
            self.relocate(node, destination, now).await?
        } else if is_at(node, destination) {
            node.clone()
        } else {
            return Err(Problem::not_found("file or folder in the trash"));
        };
        self.ensure_replicas(&there).await;
        Ok(there)
    }

    /// Brings a node to its destination.
    async fn relocate<E: Declares<code::InvalidRequest>>(
        &self,
        node: &NodeRow,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<NodeRow, Problem<E>> {
        if node.file.is_none() {
            crate::folder::replaces_nothing(destination.on_conflict.unwrap_or_default())?;
        }
        Ok(relocate(&self.table, node, destination, self.trash_days, now).await?)
    }

    /// Policies may ask for other replicas of what is in another folder.
    pub(crate) async fn ensure_replicas(&self, node: &NodeRow) {
        ensure_replicas(&self.table, &self.queue, node).await;
    }
}

/// The node with its `ETag`.
pub(crate) fn tagged(node: &NodeRow) -> Tagged<Node> {
    Tagged {
        version: node.version,
        body: views::node(node),
    }
}

/// Whether a node is where it would be restored to.
fn is_at(node: &NodeRow, destination: &Destination) -> bool {
    let (name, parent) = destination.of(&node.name, node.parent.as_ref());
    let may_have_number = destination.on_conflict == Some(OnConflict::Rename);
    let has_name = node.name == name || may_have_number && is_numbered(&node.name, &name);
    has_name && node.parent == parent
}
