//! Files and folders come into a tree, whatever has their name already.
//!
//! What to do about a taken name is [`domain::placement::place`]; that the name is still free, or still the same file's, is a
//! condition of the transaction. When it does not hold any more, this looks again.

use crate::accounts::quota;
use crate::blobs;
use crate::error::{Conflict, ErrorKind, StoreError};
use crate::rows::{
    BlobRow, EntryRow, FileContent, HoldingRow, NodeRow, UploadRow, account_partition, new_id,
};
use crate::table::{Key, Page, Table, Write, text};
use crate::tree::{self, Kind};
use crate::uploads::TransitionError;
use domain::account::QuotaEvent;
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::{OnConflict, Placement, free_numbers, numbered, place, stem_of_numbered};
use domain::targets::roster::Member;
use domain::upload::Event;
use jiff::Timestamp;
use std::collections::HashMap;

/// How often a place is looked for that others take first.
const ATTEMPTS: u64 = 40;

/// How many numbered forms of a name are read at most to find one that is free.
const NUMBERED: u32 = 1000;

/// A place for a new file.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The node as it will be.
    pub node: NodeRow,
    /// What the node had before, if it was there.
    pub replaced: Option<FileContent>,
}

impl Placed {
    /// Bytes that leave the account's quota with the old content.
    #[must_use]
    pub fn given_back(&self) -> u64 {
        self.replaced.as_ref().map_or(0, |old| old.size)
    }

    /// Whether the file needs one more reference to its blob. It has one already when the old content was the same.
    #[must_use]
    pub fn refers_anew(&self) -> bool {
        let same = |old: &FileContent| self.node.file.as_ref().is_some_and(|file| file.blob == old.blob);
        !self.replaced.as_ref().is_some_and(same)
    }

    /// The writes that put the file into its place: entry, node, holding, the folder's count, and the reference to the old
    /// content. Not the reference to the new one, nor the quota.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NameTaken`], [`Conflict::ParentGone`],
    /// [`Conflict::NodeChanged`].
    pub fn writes(&self, now: Timestamp) -> Result<Vec<Write>, StoreError> {
        let node = &self.node;
        let Some(file) = &node.file else {
            return tree::insert(node);
        };
        let holding = HoldingRow::of(node, file);
        let Some(old) = &self.replaced else {
            let mut writes = tree::insert(node)?;
            writes.push(Write::create(&holding, Conflict::NameTaken)?);
            return Ok(writes);
        };
        let conflict = Conflict::NodeChanged;
        let unchanged = HashMap::from([(":blob".to_owned(), text(&old.blob))]);
        let mut writes = vec![Write::put(node, "#file.#blob = :blob", unchanged, conflict)?];
        if old.content_id == file.content_id {
            writes.push(Write::put_always(&holding, conflict)?);
        } else {
            let key = HoldingRow::key_of(&node.account, &old.content_id, &node.id);
            writes.push(Write::delete(
                &key,
                "attribute_exists(pk)",
                HashMap::new(),
                conflict,
            )?);
            writes.push(Write::create(&holding, conflict)?);
        }
        if self.refers_anew() {
            writes.push(blobs::release(&old.blob, now)?);
        }
        Ok(writes)
    }
}

/// The node that an upload becomes, where nothing has its name.
#[must_use]
pub fn node_of(upload: &UploadRow, file: &FileContent, now: Timestamp) -> NodeRow {
    NodeRow {
        id: new_id(),
        account: upload.account.clone(),
        name: upload.name.clone(),
        parent: upload.parent.clone(),
        file: Some(file.clone()),
        entries: 0,
        depth: 0,
        created_at: now,
        updated_at: now,
    }
}

/// A new node looking for its place.
pub struct Placing {
    node: NodeRow,
    on_conflict: OnConflict,
    attempt: u64,
    /// Where it is to be written next.
    pub placed: Placed,
}

impl Placing {
    /// Mostly the name is free: that is tried first, and costs no look.
    #[must_use]
    pub fn new(node: NodeRow, on_conflict: OnConflict) -> Self {
        let placed = Placed {
            node: node.clone(),
            replaced: None,
        };
        Self {
            node,
            on_conflict,
            attempt: 0,
            placed,
        }
    }

    /// Looks for another place, when the transaction with [`Placed::writes`] failed because this one is taken.
    ///
    /// # Errors
    /// [`Conflict::NameTaken`] when there is none; `error` itself when it has nothing to do with the place.
    pub async fn again(&mut self, table: &Table, error: TransitionError) -> Result<(), TransitionError> {
        let taken = matches!(
            error,
            TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(Conflict::NameTaken | Conflict::NodeChanged),
                ..
            })
        );
        if !taken || self.attempt == ATTEMPTS {
            return Err(error);
        }
        self.attempt += 1;
        self.placed = table
            .another_place(&self.node, self.on_conflict, self.attempt)
            .await?;
        Ok(())
    }
}

impl Table {
    /// Moves an upload on as `event` says, together with its file, in the place where that belongs. `new_blob`: the blob of the
    /// file comes into being with it, and is replicated to these targets; otherwise it is there. Gives the upload and its file
    /// as they are then.
    ///
    /// # Errors
    /// [`TransitionError::Refused`] when the event does not apply; [`Conflict::UploadChanged`], [`Conflict::ContentExists`],
    /// [`Conflict::BlobGone`], [`Conflict::NameTaken`], [`Conflict::ParentGone`]; [`Conflict::NodeChanged`] when others kept
    /// changing the file that is to be replaced.
    pub async fn make_file(
        &self,
        upload: &UploadRow,
        event: Event,
        file: &FileContent,
        new_blob: Option<(&BlobRow, &[Member])>,
        now: Timestamp,
    ) -> Result<(UploadRow, NodeRow), TransitionError> {
        let mut placing = Placing::new(node_of(upload, file, now), upload.on_conflict);
        loop {
            let placed = &placing.placed;
            let mut writes = match new_blob {
                Some((blob, targets)) => blobs::create(blob, targets, now)?,
                None if placed.refers_anew() => vec![blobs::refer(&file.blob)?],
                None => vec![],
            };
            writes.extend(placed.writes(now)?);
            if placed.replaced.is_some() {
                writes.push(quota(&upload.account, QuotaEvent::Give(placed.given_back()))?);
            }
            let finish = |next: &mut UploadRow| next.became(&placed.node);
            match self.move_upload(upload, event, now, finish, writes).await {
                Ok(complete) => return Ok((complete, placing.placed.node)),
                Err(error) => placing.again(self, error).await?,
            }
        }
    }

    /// Refuses early what the final write would refuse after all the bytes were sent.
    ///
    /// # Errors
    /// [`Conflict::ParentGone`] or [`Conflict::NameTaken`].
    pub async fn check_place(&self, upload: &UploadRow) -> Result<(), StoreError> {
        let UploadRow {
            account,
            parent,
            name,
            on_conflict,
            ..
        } = upload;
        if let Some(parent) = parent {
            match self.kind(account, parent).await? {
                Some(Kind::Folder { .. }) => {}
                Some(Kind::File) | None => return Err(Conflict::ParentGone.into()),
            }
        }
        let taken = self.taken(account, parent.as_ref(), name).await?;
        match place(*on_conflict, taken.map(|(taken, _)| taken)) {
            Placement::Refuse => Err(Conflict::NameTaken.into()),
            Placement::Insert | Placement::Replace | Placement::Rename => Ok(()),
        }
    }

    async fn another_place(
        &self,
        node: &NodeRow,
        on_conflict: OnConflict,
        attempt: u64,
    ) -> Result<Placed, StoreError> {
        let parent = node.parent.as_ref();
        let there = self.taken(&node.account, parent, &node.name).await?;
        let (taken, there) = there.unzip();
        let (mut placed, mut replaced) = (node.clone(), None);
        match (place(on_conflict, taken), there.flatten()) {
            (Placement::Replace, Some(there)) => {
                replaced = there.file;
                placed.id = there.id;
                placed.created_at = there.created_at;
            }
            (Placement::Rename, _) => {
                let (names, all) = self.names_numbered(&node.account, parent, &node.name).await?;
                let free = free_numbers(&node.name, &names, all, attempt);
                // Where many look at once, each takes another one.
                placed.name = numbered(&node.name, rand::random_range(free));
            }
            (Placement::Refuse, _) => return Err(Conflict::NameTaken.into()),
            (Placement::Insert | Placement::Replace, _) => {}
        }
        Ok(Placed {
            node: placed,
            replaced,
        })
    }

    /// Names in a folder that may be numbered forms of `name`, and whether these are all.
    async fn names_numbered(
        &self,
        account: &AccountId,
        parent: Option<&NodeId>,
        name: &Name,
    ) -> Result<(Vec<Name>, bool), StoreError> {
        let folder = EntryRow::prefix(parent);
        let prefix = format!("{folder}{}", stem_of_numbered(name));
        let page: Page<EntryRow> = self
            .page(&account_partition(account), &prefix, None, NUMBERED)
            .await?;
        let mut names: Vec<Name> = page.rows.into_iter().map(|entry| entry.name).collect();
        // What cannot be read has its name in its key.
        let name = |key: &Key| key.sk.strip_prefix(&folder)?.parse().ok();
        names.extend(page.unreadable.iter().filter_map(name));
        Ok((names, page.next.is_none()))
    }

    /// Makes a folder, with `others` in the same transaction. Gives it with the name that it got.
    ///
    /// # Errors
    /// [`Conflict::NameTaken`] or [`Conflict::ParentGone`], or a conflict of `others`.
    pub async fn create_folder(
        &self,
        folder: NodeRow,
        on_conflict: OnConflict,
        others: impl Fn(&NodeRow) -> Result<Vec<Write>, StoreError>,
    ) -> Result<NodeRow, StoreError> {
        let mut placing = Placing::new(folder, on_conflict);
        loop {
            let folder = &placing.placed.node;
            let mut writes = placing.placed.writes(folder.created_at)?;
            writes.extend(others(folder)?);
            let error = match self.transact(writes).await {
                Ok(()) => return Ok(placing.placed.node),
                // The id is new: a folder that has it is ours, and the answer that said so got lost.
                Err(error)
                    if error.is_conflict() && self.node(&folder.account, &folder.id).await?.is_some() =>
                {
                    return Ok(placing.placed.node);
                }
                Err(error) => error,
            };
            placing
                .again(self, error.into())
                .await
                .map_err(TransitionError::into_store_error)?;
        }
    }
}
