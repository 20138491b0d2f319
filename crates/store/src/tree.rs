//! An account's tree of folders and files.

use crate::accounts::quota;
use crate::blobs;
use crate::error::{Conflict, StoreError};
use crate::rows::{ContentReferenceRow, EntryRow, FileContent, NodeRow, account_partition};
use crate::table::{Change, Item, Page, Row, Rows, Table, Write, number, text};
use domain::account::QuotaEvent;
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::{MAX_DEPTH, Taken};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// Most nodes a page may have: what one `BatchGetItem` reads.
pub const MAX_PAGE: u32 = 100;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder {
        /// How many folders it is within, itself counted, if that can be read.
        depth: Option<u64>,
    },
}

/// The writes that put a node into the tree: itself, its name within the parent, the parent's count.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NameTaken`],
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

/// Files and folders.
#[derive(Clone, Copy)]
pub struct Tree<'a>(pub(crate) &'a Table);

impl Table {
    /// Files and folders.
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree(self)
    }
}

impl Tree<'_> {
    /// A file or folder of the account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, account: &AccountId, node: &NodeId) -> Result<Option<NodeRow>, StoreError> {
        self.0.get(&NodeRow::key_of(account, node)).await
    }

    /// The node of this name in a folder; no parent is the root.
    ///
    /// # Errors
    /// [`StoreError`]: there is something of this name.
    pub async fn named(
        self,
        account: &AccountId,
        parent: Option<&NodeId>,
        name: &Name,
    ) -> Result<Option<NodeRow>, StoreError> {
        match self
            .0
            .get::<EntryRow>(&EntryRow::key_of(account, parent, name))
            .await?
        {
            Some(entry) => self.get(account, &entry.node).await,
            None => Ok(None),
        }
    }

    /// What has a name in a folder, and the node itself if that can be read. What cannot be read is never replaced, as if it
    /// were a folder.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn taken(
        self,
        account: &AccountId,
        parent: Option<&NodeId>,
        name: &Name,
    ) -> Result<Option<(Taken, Option<NodeRow>)>, StoreError> {
        let there = self.0.or_leave_out(self.named(account, parent, name).await)?;
        Ok(match there {
            None => Some((Taken::ByFolder, None)),
            Some(node) => node.map(|node| (node.taken(), Some(node))),
        })
    }

    /// How deep a new folder in a folder is; no parent is the root.
    ///
    /// # Errors
    /// [`Conflict::ParentGone`] when the parent is not a folder of the account, [`Conflict::TooDeep`] when it is [`MAX_DEPTH`]
    /// deep itself.
    pub async fn depth_within(self, account: &AccountId, parent: Option<&NodeId>) -> Result<u64, StoreError> {
        let Some(parent) = parent else {
            return Ok(1);
        };
        match self.kind(account, parent).await? {
            Some(Kind::Folder { depth: Some(depth) }) if depth < MAX_DEPTH => Ok(depth + 1),
            Some(Kind::Folder { depth: Some(_) }) => Err(Conflict::TooDeep.into()),
            Some(Kind::Folder { depth: None }) => {
                Err(StoreError::unreadable(NodeRow::key_of(account, parent)))
            }
            Some(Kind::File) | None => Err(Conflict::ParentGone.into()),
        }
    }

    /// What a node is, if it is there. Nothing else of it need be readable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kind(self, account: &AccountId, node: &NodeId) -> Result<Option<Kind>, StoreError> {
        let item = self.0.item(&NodeRow::key_of(account, node)).await?;
        let depth = |item: &Item| item.get("depth")?.as_n().ok()?.parse().ok();
        Ok(item.map(|item| {
            if item.contains_key("file") {
                Kind::File
            } else {
                Kind::Folder { depth: depth(&item) }
            }
        }))
    }

    /// Up to `limit` nodes of a folder by name, after the name `after`; and the name to go on after.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn children(
        self,
        account: &AccountId,
        parent: Option<&NodeId>,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Page<NodeRow>, StoreError> {
        let prefix = EntryRow::prefix(parent);
        let after = after.map(Name::as_str);
        let pk = account_partition(account);
        let page: Page<EntryRow> = self.0.page(&pk, &prefix, after, limit.min(MAX_PAGE)).await?;
        let keys = page
            .rows
            .iter()
            .map(|entry| NodeRow::key_of(account, &entry.node));
        let nodes: Rows<NodeRow> = self.0.get_many(keys).await?;
        let mut by_id: BTreeMap<NodeId, NodeRow> = nodes
            .rows
            .into_iter()
            .map(|node| (node.id.clone(), node))
            .collect();
        let rows = page.rows.iter().filter_map(|entry| by_id.remove(&entry.node));
        Ok(Page {
            rows: rows.collect(),
            unreadable: [page.unreadable, nodes.unreadable].concat(),
            next: page.next,
        })
    }

    /// A node as far as removing it wants it, whatever else of it cannot be read: its times are made up.
    ///
    /// # Errors
    /// [`StoreError`] when its place in the tree or what it refers to cannot be read.
    pub async fn remains(self, account: &AccountId, node: &NodeId) -> Result<Option<NodeRow>, StoreError> {
        let key = NodeRow::key_of(account, node);
        let Some(item) = self.0.item(&key).await? else {
            return Ok(None);
        };
        let remains = NodeRow::remains(account, node, &item);
        remains.map(Some).ok_or_else(|| StoreError::unreadable(key))
    }

    /// Removes a node: an empty folder, or a file, whose bytes leave the account's quota and whose blob loses
    /// a reference.
    ///
    /// # Errors
    /// [`Conflict::FolderNotEmpty`]; [`Conflict::NodeChanged`] when it was changed or deleted meanwhile.
    pub async fn delete(self, node: &NodeRow, now: Timestamp) -> Result<(), StoreError> {
        let still_mine = HashMap::from([(":node".to_owned(), text(&node.id))]);
        let entry = EntryRow::of(node).key();
        let mut writes = vec![Write::delete(
            &entry,
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
            writes.extend(delete_file(node, file, now)?);
        } else {
            let values = HashMap::from([
                (":none".to_owned(), number(0)),
                (":version".to_owned(), number(node.version)),
            ]);
            writes.push(Write::delete(
                &node.key(),
                "entries = :none AND version = :version",
                values,
                Conflict::FolderNotEmpty,
            )?);
        }
        self.0.transact(writes).await
    }

    /// Removes a file of an account that goes with all its folders: what they have need not be right any more.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when it was changed or deleted meanwhile.
    pub async fn delete_file(
        self,
        node: &NodeRow,
        file: &FileContent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.transact(delete_file(node, file, now)?).await
    }
}

/// Removes a file with what it refers to.
fn delete_file(node: &NodeRow, file: &FileContent, now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let conflict = Conflict::NodeChanged;
    let same = HashMap::from([(":version".to_owned(), number(node.version))]);
    let content_reference = ContentReferenceRow::key_of(&node.account, &file.content_id, &node.id);
    Ok(vec![
        Write::delete(&node.key(), "version = :version", same, conflict)?,
        Write::delete(
            &content_reference,
            "attribute_exists(pk)",
            HashMap::new(),
            conflict,
        )?,
        quota(&node.account, QuotaEvent::Give(file.size))?,
        blobs::release(&file.blob, now)?,
    ])
}
