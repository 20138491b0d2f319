//! Where an account's folders are.
//!
//! Where a folder may go is [`domain::folders`]; it is asked with what was read, and the transaction fails when that has changed.
//! Those of new folders fail only when one was moved: they do not wait for each other. Those of moves fail
//! also when one came into being.

use crate::error::{Conflict, StoreError};
use crate::rows::{FolderChangesRow, FolderRow, NodeRow, account_partition};
use crate::table::{Change, Table, Write, number};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::folders::{self, NoPlace};
use domain::id::{AccountId, NodeId};
use domain::placement::MAX_DEPTH;

/// The folders of accounts.
#[derive(Clone, Copy)]
pub struct Folders<'a>(&'a Table);

impl Table {
    /// The folders of accounts.
    #[must_use]
    pub fn folders(&self) -> Folders<'_> {
        Folders(self)
    }
}

impl Folders<'_> {
    /// The writes that let a new folder be where it is, beside those of its node.
    ///
    /// # Errors
    /// [`Conflict::ParentGone`], [`Conflict::TooDeep`]. Conflict of the writes: [`Conflict::FoldersChanged`].
    pub async fn create(self, folder: &NodeRow) -> Result<Vec<Write>, StoreError> {
        let (_, moves) = self.changes(&folder.account).await?;
        let there = self.above(&folder.account, folder.parent.as_ref()).await?;
        allow(&there, folder)?;
        let change = Change::new(
            FolderChangesRow::key_of(&folder.account),
            "SET moves = :moves ADD creations :one",
            "attribute_not_exists(pk) OR moves = :moves",
        )
        .with(":moves", number(moves))
        .with(":one", number(1));
        written(folder, &change)
    }

    /// The writes that let a folder be in another one, as its node has it now, beside those of its node.
    ///
    /// # Errors
    /// [`Conflict::ParentGone`], [`Conflict::WithinItself`], [`Conflict::TooDeep`], [`Conflict::InTrash`]. Conflict of the
    /// writes: [`Conflict::FoldersChanged`].
    pub async fn relocate(self, folder: &NodeRow) -> Result<Vec<Write>, StoreError> {
        let (creations, moves) = self.changes(&folder.account).await?;
        allow(&self.all(&folder.account).await?, folder)?;
        let change = Change::new(
            FolderChangesRow::key_of(&folder.account),
            "SET moves = :next",
            "moves = :moves AND creations = :creations",
        )
        .with(":next", number(moves + 1))
        .with(":moves", number(moves))
        .with(":creations", number(creations));
        written(folder, &change)
    }

    /// Whether a folder is there, and neither it nor one that it is in is in the trash; none is the root. A read for each level.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_in_tree(self, account: &AccountId, folder: Option<&NodeId>) -> Result<bool, StoreError> {
        Ok(self.above(account, folder).await?.is_in_tree(folder))
    }

    /// The writes that take a folder, with all that is in it, out of the tree, beside those of its node. What was found out about
    /// other folders before is not true any more.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when a write is malformed.
    pub fn trash(folder: &NodeRow) -> Result<[Write; 2], StoreError> {
        let there = "attribute_exists(pk)";
        let key = FolderRow::key_of(&folder.account, &folder.id);
        let mark = Change::new(key, "SET trashed = :yes", there).with(":yes", AttributeValue::Bool(true));
        let changes = FolderChangesRow::key_of(&folder.account);
        let moved = Change::new(changes, "SET moves = moves + :one", there).with(":one", number(1));
        let conflict = Conflict::NodeChanged;
        Ok([Write::update(&mark, conflict)?, Write::update(&moved, conflict)?])
    }

    /// How many folders have come into being, and how often one was moved. To be read before the folders are.
    async fn changes(self, account: &AccountId) -> Result<(u64, u64), StoreError> {
        let row: Option<FolderChangesRow> = self.0.get(&FolderChangesRow::key_of(account)).await?;
        Ok(row.map_or((0, 0), |row| (row.creations, row.moves)))
    }

    /// A folder and those that it is in.
    async fn above(
        self,
        account: &AccountId,
        folder: Option<&NodeId>,
    ) -> Result<folders::Folders, StoreError> {
        let (mut found, mut next) = (Vec::new(), folder.cloned());
        while let Some(id) = next.filter(|_| found.len() as u64 <= MAX_DEPTH) {
            let row: Option<FolderRow> = self.0.get(&FolderRow::key_of(account, &id)).await?;
            next = row.as_ref().and_then(|row| row.parent.clone());
            found.extend(row.map(|row| (row.id.clone(), row.place())));
        }
        Ok(found.into_iter().collect())
    }

    /// All folders of an account.
    async fn all(self, account: &AccountId) -> Result<folders::Folders, StoreError> {
        let pk = account_partition(account);
        let there = self.0.all::<FolderRow>(&pk, FolderRow::PREFIX).await?;
        if let Some(key) = there.unreadable.first() {
            return Err(StoreError::unreadable(key.clone()));
        }
        Ok(there
            .rows
            .into_iter()
            .map(|row| (row.id.clone(), row.place()))
            .collect())
    }
}

fn allow(there: &folders::Folders, folder: &NodeRow) -> Result<(), StoreError> {
    let allowed = there.may_go(&folder.id, folder.parent.as_ref());
    allowed.map_err(|why| {
        let conflict = match why {
            NoPlace::NoFolder => Conflict::ParentGone,
            NoPlace::InTrash => Conflict::InTrash,
            NoPlace::WithinItself => Conflict::WithinItself,
            NoPlace::TooDeep => Conflict::TooDeep,
        };
        conflict.into()
    })
}

fn written(folder: &NodeRow, change: &Change) -> Result<Vec<Write>, StoreError> {
    let conflict = Conflict::FoldersChanged;
    let NodeRow {
        account, id, parent, ..
    } = folder.clone();
    let row = FolderRow {
        account,
        id,
        parent,
        trashed: false,
    };
    Ok(vec![
        Write::put_unconditional(&row, conflict)?,
        Write::update(change, conflict)?,
    ])
}
