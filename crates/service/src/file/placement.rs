//! Files and folders come into a tree, whatever has their name already.
//!
//! What to do about a taken name is [`domain::placement::place`]; that the name is still free, or still the same file's, is a
//! condition of the transaction. When it does not hold any more, this looks again.

use domain::account::QuotaEvent;
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::{
    OnConflict, Placement, free_numbers, is_numbered, numbered, place, stem_of_numbered,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use store::accounts::quota;
use store::blobs;
use store::rows::{ContentReferenceRow, EntryRow, FileContent, NodeRow, account_partition};
use store::table::{Key, Page, Write};
use store::tree;
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, StoreError, Table};

/// How often, and how long, a place is looked for that others take first. An attempt may take some seconds, and nobody gets an
/// answer after 29: API Gateway's limit.
const PLACEMENT_ATTEMPTS: u64 = 40;
const LONGEST_SEARCH: SignedDuration = SignedDuration::from_secs(15);

/// How many numbered forms of a name are read at most to find one that is free.
const NUMBERED: u32 = 1000;

/// How a new file or folder is written.
#[derive(Debug, Clone)]
pub struct FilePlacement {
    /// The node as it will be.
    pub node: NodeRow,
    /// What the node had before, if it was there.
    pub replaced: Option<FileContent>,
}

impl FilePlacement {
    /// The content of a new node in a file that is there. All else that the file has stays as it is.
    fn in_place_of(there: NodeRow, new: &NodeRow) -> Self {
        Self {
            replaced: there.file.clone(),
            node: NodeRow {
                file: new.file.clone(),
                version: there.version + 1,
                updated_at: new.updated_at,
                ..there
            },
        }
    }

    /// Bytes that leave the account's quota with the old content.
    #[must_use]
    pub fn released_bytes(&self) -> u64 {
        self.replaced.as_ref().map_or(0, |old| old.size)
    }

    /// Whether the file needs one more reference to its blob. It has one already when the old content was the same.
    #[must_use]
    pub fn adds_reference(&self) -> bool {
        let same = |old: &FileContent| self.node.file.as_ref().is_some_and(|file| file.blob == old.blob);
        !self.replaced.as_ref().is_some_and(same)
    }

    /// The writes that put the file into its place: entry, node, content reference, the folder's count, and
    /// one reference less to the old blob. Not the reference to the new one, nor the quota.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NameTaken`], [`Conflict::ParentGone`],
    /// [`Conflict::NodeChanged`].
    pub fn writes(&self, now: Timestamp) -> Result<Vec<Write>, StoreError> {
        let node = &self.node;
        let Some(file) = &node.file else {
            return tree::insert(node);
        };
        let content_reference = ContentReferenceRow::of(node, file);
        let Some(old) = &self.replaced else {
            let mut writes = tree::insert(node)?;
            writes.push(Write::create(&content_reference, Conflict::NameTaken)?);
            return Ok(writes);
        };
        let conflict = Conflict::NodeChanged;
        let mut writes = vec![Write::replace(node, node.version - 1, conflict)?];
        writes.push(tree::replace_entry(node, &node.id)?);
        writes.extend(tree::parent_is_there(node)?);
        if old.content_id == file.content_id {
            writes.push(Write::put_unconditional(&content_reference, conflict)?);
        } else {
            let key = ContentReferenceRow::key_of(&node.account, &old.content_id, &node.id);
            writes.push(Write::delete(
                &key,
                "attribute_exists(pk)",
                HashMap::new(),
                conflict,
            )?);
            writes.push(Write::create(&content_reference, conflict)?);
        }
        if self.adds_reference() {
            writes.push(blobs::release(&old.blob, 1, now)?);
        }
        Ok(writes)
    }

    /// [`Self::writes`] of a file whose bytes are stored already, with the reference to their blob and the room that they take in
    /// the quota.
    ///
    /// # Errors
    /// Those of [`Self::writes`]; [`Conflict::BlobGone`], [`Conflict::QuotaExceeded`].
    pub fn writes_by_reference(&self, now: Timestamp) -> Result<Vec<Write>, StoreError> {
        // Before the quota: where a file of this name is replaced, its bytes make room.
        let mut writes = self.writes(now)?;
        let Some(file) = &self.node.file else {
            return Ok(writes);
        };
        if self.adds_reference() {
            writes.push(blobs::refer(&file.blob)?);
        }
        let (take, give) = (file.size, self.released_bytes());
        writes.push(quota(&self.node.account, QuotaEvent::Take { take, give })?);
        Ok(writes)
    }
}

/// A node looking for its place: a new one, or one that is there and goes somewhere else.
pub struct PlaceSearch {
    wanted: NodeRow,
    on_conflict: OnConflict,
    attempt: u64,
    /// When it is given up.
    until: Option<Timestamp>,
    /// The node with the name by which it is to be written next.
    pub node: NodeRow,
    /// The file that has that name, if it is to be replaced.
    pub loser: Option<NodeRow>,
}

impl PlaceSearch {
    /// Mostly the name is free: that is tried first, and costs no look.
    #[must_use]
    pub fn new(node: NodeRow, on_conflict: OnConflict) -> Self {
        Self {
            wanted: node.clone(),
            on_conflict,
            attempt: 0,
            until: None,
            node,
            loser: None,
        }
    }

    /// Whether a node that is there may as well stay where it is: the name is taken, and it has it with a number already.
    #[must_use]
    pub fn keeps(&self, there: &NodeRow) -> bool {
        let wanted = &self.wanted;
        let is_taken = self.node.name != wanted.name;
        is_taken && there.parent == wanted.parent && is_numbered(&there.name, &wanted.name)
    }

    /// What a new node is to be written as next.
    #[must_use]
    pub fn placement(&self) -> FilePlacement {
        match &self.loser {
            Some(there) => FilePlacement::in_place_of(there.clone(), &self.node),
            None => FilePlacement {
                node: self.node.clone(),
                replaced: None,
            },
        }
    }

    /// Looks for another place, when the transaction that was to write it failed because this one is taken.
    ///
    /// # Errors
    /// [`Conflict::NameTaken`] when there is none; `error` itself when it has nothing to do with the place.
    pub async fn again(&mut self, table: &Table, error: TransitionError) -> Result<(), TransitionError> {
        let taken = matches!(
            error,
            TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(
                    Conflict::NameTaken | Conflict::NodeChanged | Conflict::FoldersChanged
                ),
                ..
            })
        );
        let until = *self.until.get_or_insert_with(|| table.from_now(LONGEST_SEARCH));
        if !taken || self.attempt == PLACEMENT_ATTEMPTS || table.now() > until {
            return Err(error);
        }
        self.attempt += 1;
        self.look(table).await?;
        Ok(())
    }

    async fn look(&mut self, table: &Table) -> Result<(), StoreError> {
        let NodeRow {
            account,
            parent,
            name,
            ..
        } = &self.wanted;
        let there = table.tree().taken(account, parent.as_ref(), name).await?;
        let (taken, there) = there.unzip();
        self.node.name = name.clone();
        self.loser = None;
        match place(self.on_conflict, taken) {
            Placement::Insert => {}
            Placement::Replace => self.loser = there.flatten(),
            Placement::Rename => {
                let (names, all) = names_numbered(table, account, parent.as_ref(), name).await?;
                let free = free_numbers(name, &names, all, self.attempt);
                // Where many look at once, each takes another one.
                self.node.name = numbered(name, table.rng.within(free));
            }
            Placement::Refuse => return Err(Conflict::NameTaken.into()),
        }
        Ok(())
    }
}

/// Expects the folder of a node to be in the tree, and not within one that is in the trash.
///
/// # Errors
/// [`Conflict::ParentGone`].
pub async fn expect_in_tree(table: &Table, node: &NodeRow) -> Result<(), StoreError> {
    let parent = node.parent.as_ref();
    let is_there = table.folders().is_in_tree(&node.account, parent).await?;
    is_there.then_some(()).ok_or(Conflict::ParentGone.into())
}

/// Names in a folder that may be numbered forms of `name`, and whether these are all.
async fn names_numbered(
    table: &Table,
    account: &AccountId,
    parent: Option<&NodeId>,
    name: &Name,
) -> Result<(Vec<Name>, bool), StoreError> {
    let folder = EntryRow::prefix(parent);
    let prefix = format!("{folder}{}", stem_of_numbered(name));
    let page: Page<EntryRow> = table
        .page(&account_partition(account), &prefix, None, NUMBERED)
        .await?;
    let mut names: Vec<Name> = page.rows.into_iter().map(|entry| entry.name).collect();
    // What cannot be read has its name in its key.
    let name = |key: &Key| key.sk.strip_prefix(&folder)?.parse().ok();
    names.extend(page.unreadable.iter().filter_map(name));
    Ok((names, page.next.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::content::{ContentId, PartDigest};

    fn file(id: &str, blob: &str, second: i64) -> NodeRow {
        let at = Timestamp::from_second(second).unwrap();
        NodeRow {
            id: id.parse().unwrap(),
            account: "ann".parse().unwrap(),
            name: "a.txt".parse().unwrap(),
            parent: None,
            file: Some(FileContent {
                size: 1,
                content_type: None,
                content_id: ContentId::of_parts(&[PartDigest::of(blob.as_bytes())]).unwrap(),
                blob: blob.parse().unwrap(),
            }),
            entries: 0,
            version: 1,
            created_at: at,
            updated_at: at,
            trashed_at: None,
        }
    }

    #[test]
    fn a_file_keeps_all_but_its_content() {
        // A number that no file has stands for what nodes may have one day.
        let there = NodeRow {
            entries: 7,
            ..file("old", "b1", 1)
        };
        let new = file("new", "b2", 2);
        let placement = FilePlacement::in_place_of(there.clone(), &new);
        assert_eq!(placement.replaced, there.file);
        let node = placement.node;
        assert_eq!((&node.file, node.updated_at), (&new.file, new.updated_at));
        assert_eq!(node.version, there.version + 1);
        assert_eq!(
            (&node.id, node.created_at, node.entries),
            (&there.id, there.created_at, 7)
        );
    }
}
