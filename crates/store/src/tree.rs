//! An account's tree of folders and files.

mod writes;

pub use writes::{
    MOST_MOVED, MOST_TOGETHER, delete_file, enter_trash, insert, parent_is_there, relocate, relocate_files,
    replace_entry,
};

use crate::error::StoreError;
use crate::rows::{EntryRow, FileContent, NodeRow, account_partition};
use crate::table::{Key, Page, Table};
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::Taken;
use jiff::Timestamp;

/// Most entries that are read at once where names are looked for: about a MiB, which is what DynamoDB reads at once.
const MAX_ENTRIES: u32 = 2000;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A folder that is in the trash by itself.
    FolderInTrash,
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

    /// The entry of this name in a folder; no parent is the root.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entry(
        self,
        account: &AccountId,
        parent: Option<&NodeId>,
        name: &Name,
    ) -> Result<Option<EntryRow>, StoreError> {
        self.0.get(&EntryRow::key_of(account, parent, name)).await
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
        match self.entry(account, parent, name).await? {
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

    /// What a node is, if it is there. Nothing else of it need be readable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kind(self, account: &AccountId, node: &NodeId) -> Result<Option<Kind>, StoreError> {
        let item = self.0.item(&NodeRow::key_of(account, node)).await?;
        Ok(item.map(|item| {
            if item.contains_key("file") {
                Kind::File
            } else if item.contains_key("trashed_at") {
                Kind::FolderInTrash
            } else {
                Kind::Folder
            }
        }))
    }

    /// Up to `limit` nodes of a folder by name, after the name `after`; and the name to go on after. How many entries a folder
    /// among them has is not said.
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
        let page: Page<EntryRow> = self.0.page(&pk, &prefix, after, limit).await?;
        Ok(Page {
            rows: page.rows.into_iter().map(EntryRow::into_node).collect(),
            unreadable: page.unreadable,
            next: page.next,
        })
    }

    /// Entries of all folders of the account, by folder and then by name, after a [`Place`](domain::search::Place); and the place to go
    /// on after. What was just done may not be in them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries(
        self,
        account: &AccountId,
        after: Option<&str>,
    ) -> Result<Page<EntryRow>, StoreError> {
        let pk = account_partition(account);
        self.0
            .probable_page(&pk, EntryRow::PREFIX, after, MAX_ENTRIES)
            .await
    }

    /// Nodes that cannot be read as far as removing them wants them, of those whose keys these are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remains_of(self, account: &AccountId, keys: &[Key]) -> Result<Vec<NodeRow>, StoreError> {
        let mut found = Vec::new();
        for key in keys {
            let id = key
                .sk
                .strip_prefix(NodeRow::PREFIX)
                .and_then(|id| id.parse().ok());
            if let Some(id) = id {
                let remains = self.remains(account, &id).await;
                found.extend(self.0.or_leave_out(remains)?.flatten());
            }
        }
        Ok(found)
    }

    /// What can be read, as far as removing it wants it, of a node whose entry cannot be read.
    ///
    /// # Errors
    /// [`StoreError`]. Nothing is what cannot be read either.
    pub async fn remains_behind(
        self,
        account: &AccountId,
        entry: &Key,
    ) -> Result<Option<NodeRow>, StoreError> {
        let item = self.0.item(entry).await?;
        let id = item.and_then(|item| item.get("node")?.as_s().ok()?.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let remains = self.remains(account, &id).await;
        Ok(self.0.or_leave_out(remains)?.flatten())
    }

    /// A node as far as removing it wants it, whatever else of it cannot be read: its times may be made up.
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

    /// Brings a file or folder, with all that is in it, into the trash. `purging`: it is to be removed at once, and is never seen
    /// there.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when it was changed or deleted meanwhile.
    pub async fn trash(
        self,
        node: &NodeRow,
        now: Timestamp,
        expires_at: Timestamp,
        purging: bool,
    ) -> Result<(), StoreError> {
        let mut writes = writes::leave(node, None)?;
        writes.join(enter_trash(node, now, expires_at, purging)?);
        self.0.transact(writes.of(&node.account)?).await
    }

    /// Brings files of one folder into the trash together, [`MOST_MOVED`] at most, no two of one name.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when one was changed or deleted meanwhile.
    pub async fn trash_files(
        self,
        files: &[NodeRow],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.0
            .transact(writes::trash_files(files, now, expires_at)?)
            .await
    }

    /// Removes a node: an empty folder, or a file, whose bytes leave the account's quota and whose blob loses
    /// a reference. It may be in the trash.
    ///
    /// # Errors
    /// [`Conflict::FolderNotEmpty`]; [`Conflict::NodeChanged`] when it was changed or deleted meanwhile.
    pub async fn delete(self, node: &NodeRow, now: Timestamp) -> Result<(), StoreError> {
        let mut bytes = self.0.trash().bytes_of(node).await?;
        loop {
            let mut writes = writes::leave(node, bytes)?;
            match &node.file {
                Some(file) => writes.join(delete_file(node, file, now)?),
                None => writes.extend(writes::delete_folder(node)?),
            }
            let deleted = self.0.transact(writes.of(&node.account)?).await;
            if !deleted.as_ref().is_err_and(StoreError::is_conflict) {
                return deleted;
            }
            // A folder may have been counted meanwhile, which happens to it once.
            let was = bytes;
            bytes = self.0.trash().bytes_of(node).await?;
            if bytes == was {
                return deleted;
            }
        }
    }

    /// Removes files of one folder, or files that are in the trash, together: [`MOST_TOGETHER`] at most, no two of one name.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when one was changed or deleted meanwhile.
    pub async fn delete_files(
        self,
        files: &[(NodeRow, FileContent)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.transact(writes::delete_files(files, now)?).await
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
        let writes = delete_file(node, file, now)?;
        self.0.transact(writes.of(&node.account)?).await
    }
}
