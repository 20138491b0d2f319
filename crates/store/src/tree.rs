//! An account's tree of folders and files.

use crate::accounts::quota;
use crate::blobs;
use crate::error::{Conflict, StoreError};
use crate::rows::{EntryRow, HoldingRow, NodeRow, account_partition};
use crate::table::{Change, Page, Row, Table, Write, number, text};
use domain::account::QuotaEvent;
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use jiff::Timestamp;
use std::collections::HashMap;

/// Most nodes a page may have: what one `BatchGetItem` reads.
pub const MAX_PAGE: u32 = 100;

/// The writes that put a node into the tree: itself, its name within the parent, the parent's count.
///
/// # Errors
/// [`StoreError::Corrupt`] when a write is malformed. Conflicts: [`Conflict::NameTaken`],
/// [`Conflict::ParentGone`].
pub fn insert(node: &NodeRow) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![
        Write::create(&EntryRow::of(node), Conflict::NameTaken)?,
        Write::create(node, Conflict::NameTaken)?,
    ];
    if let Some(parent) = &node.parent {
        let key = NodeRow::key_of(&node.account, parent);
        let change = Change::new(
            key,
            "SET entries = entries + :one",
            "attribute_exists(pk) AND attribute_not_exists(#file)",
        );
        writes.push(Write::update(
            &change.with(":one", number(1)),
            Conflict::ParentGone,
        )?);
    }
    Ok(writes)
}

impl Table {
    /// A file or folder of the account.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn node(&self, account: &AccountId, node: &NodeId) -> Result<Option<NodeRow>, StoreError> {
        self.get(&NodeRow::key_of(account, node)).await
    }

    /// The node of this name in a folder; no parent is the root.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn node_named(
        &self,
        account: &AccountId,
        parent: Option<&NodeId>,
        name: &Name,
    ) -> Result<Option<NodeRow>, StoreError> {
        match self
            .get::<EntryRow>(&EntryRow::key_of(account, parent, name))
            .await?
        {
            Some(entry) => self.node(account, &entry.node).await,
            None => Ok(None),
        }
    }

    /// Up to `limit` nodes of a folder by name, after the name `after`; and the name to go on after.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn nodes(
        &self,
        account: &AccountId,
        parent: Option<&NodeId>,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Page<NodeRow>, StoreError> {
        let prefix = EntryRow::prefix(parent);
        let after = after.map(|name| format!("{prefix}{name}"));
        let pk = account_partition(account);
        let page: Page<EntryRow> = self
            .page(&pk, &prefix, after.as_deref(), limit.min(MAX_PAGE))
            .await?;
        let keys = page
            .rows
            .iter()
            .map(|entry| NodeRow::key_of(account, &entry.node));
        let nodes = self.get_many::<NodeRow>(keys).await?;
        let mut by_id: HashMap<NodeId, NodeRow> =
            nodes.into_iter().map(|node| (node.id.clone(), node)).collect();
        let rows = page
            .rows
            .iter()
            .filter_map(|entry| by_id.remove(&entry.node))
            .collect();
        Ok(Page {
            rows,
            next: page
                .next
                .and_then(|sk| sk.strip_prefix(&prefix).map(str::to_owned)),
        })
    }

    /// Removes a node: an empty folder, or a file, whose bytes leave the account's quota and whose blob loses
    /// a reference.
    ///
    /// # Errors
    /// [`Conflict::FolderNotEmpty`]; [`Conflict::NodeChanged`] when it was changed or deleted meanwhile.
    pub async fn delete_node(&self, node: &NodeRow, now: Timestamp) -> Result<(), StoreError> {
        let own_key = EntryRow::of(node).key();
        let still_mine = HashMap::from([(":node".to_owned(), text(&node.id))]);
        let mut writes = vec![Write::delete(
            &own_key,
            "node = :node",
            still_mine,
            Conflict::NodeChanged,
        )?];
        if let Some(parent) = &node.parent {
            let key = NodeRow::key_of(&node.account, parent);
            let change = Change::new(key, "SET entries = entries - :one", "attribute_exists(pk)");
            writes.push(Write::update(
                &change.with(":one", number(1)),
                Conflict::NodeChanged,
            )?);
        }
        if let Some(file) = &node.file {
            let exists = "attribute_exists(pk)";
            // It may have got another content meanwhile.
            let same = HashMap::from([(":blob".to_owned(), text(&file.blob))]);
            writes.push(Write::delete(
                &node.key(),
                "#file.#blob = :blob",
                same,
                Conflict::NodeChanged,
            )?);
            let holding = HoldingRow::key_of(&node.account, &file.content_id, &node.id);
            writes.push(Write::delete(
                &holding,
                exists,
                HashMap::new(),
                Conflict::NodeChanged,
            )?);
            writes.push(quota(&node.account, QuotaEvent::Give(file.size))?);
            writes.push(blobs::release(&file.blob, now)?);
        } else {
            let none = HashMap::from([(":none".to_owned(), number(0))]);
            writes.push(Write::delete(
                &node.key(),
                "entries = :none",
                none,
                Conflict::FolderNotEmpty,
            )?);
        }
        self.transact(writes).await
    }
}
