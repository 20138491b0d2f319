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
use domain::versions::VersionPolicy;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use store::accounts::{Kinds, quota_by_kind};
use store::blobs;
use store::rows::{ContentReferenceRow, EntryRow, FileContent, NodeRow, VersionRow, account_partition};
use store::table::{Key, Page, Write};
use store::tree::{self, end_version, signed, take_out};
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, StoreError, Table};

/// How often, and how long, a place is looked for that others take first. An attempt may take some seconds, and nobody gets an
/// answer after 29: API Gateway's limit.
const PLACEMENT_ATTEMPTS: u64 = 40;
const LONGEST_SEARCH: SignedDuration = SignedDuration::from_secs(15);

/// How many numbered forms of a name are read at most to find one that is free.
const NUMBERED: u32 = 1000;

/// How many versions end at most when a file gets another content. There are more only where a setting was lowered, and those
/// that are left end when they are too old, or with the next content.
const MOST_ENDED: usize = 25;

/// How a new file or folder is written.
#[derive(Debug, Clone)]
pub struct FilePlacement {
    /// The node as it will be.
    pub node: NodeRow,
    /// What the node had before, if it was there.
    pub replaced: Option<FileContent>,
    /// The version that this becomes, if it is kept.
    version: Option<VersionRow>,
    /// Versions that are too many then.
    surplus: Vec<VersionRow>,
}

impl FilePlacement {
    /// A node of its own.
    #[must_use]
    pub fn of_new(node: NodeRow) -> Self {
        Self {
            node,
            replaced: None,
            version: None,
            surplus: Vec::new(),
        }
    }

    /// Another content of a file that is there, and has these versions. All else that the file has stays as it is.
    #[must_use]
    pub fn in_place_of(
        there: NodeRow,
        content: Option<FileContent>,
        versions: &[VersionRow],
        policy: VersionPolicy,
        now: Timestamp,
    ) -> Self {
        let Some((old, new)) = there.file.clone().zip(content) else {
            return Self::of_new(there);
        };
        if old.content_id == new.content_id {
            let content = FileContent {
                content_type: new.content_type,
                blob: new.blob,
                ..old.clone()
            };
            return Self::of(there, old, content, (None, Vec::new()), now);
        }
        let content = FileContent {
            number: old.number + 1,
            since: Some(now),
            ..new
        };
        let is_kept = policy.most > 0 || old.kept;
        let version = is_kept.then(|| VersionRow::of(&there, &old, policy, now));
        let surplus = surplus(versions.iter(), policy, version.as_ref(), now);
        Self::of(there, old, content, (version, surplus), now)
    }

    /// A version as the content of its file, `there`, again, which has these versions.
    #[must_use]
    pub fn restoring(
        there: NodeRow,
        old: FileContent,
        restored: &VersionRow,
        versions: &[VersionRow],
        policy: VersionPolicy,
        now: Timestamp,
    ) -> Self {
        let content = FileContent {
            number: old.number + 1,
            since: Some(now),
            restored: Some(restored.file.number),
            ..restored.file.clone()
        };
        let version = VersionRow::of(&there, &old, policy, now);
        let others = versions
            .iter()
            .filter(|version| version.file.number != restored.file.number);
        let surplus = surplus(others, policy, Some(&version), now);
        Self::of(there, old, content, (Some(version), surplus), now)
    }

    fn of(
        there: NodeRow,
        old: FileContent,
        content: FileContent,
        (version, surplus): (Option<VersionRow>, Vec<VersionRow>),
        now: Timestamp,
    ) -> Self {
        let node = NodeRow {
            file: Some(content),
            version: there.version + 1,
            updated_at: now,
            ..there
        };
        Self {
            node,
            replaced: Some(old),
            version,
            surplus,
        }
    }

    /// Bytes that leave the account's quota with the old content.
    fn released_bytes(&self) -> u64 {
        let released = self.replaced.as_ref().filter(|_| self.version.is_none());
        released.map_or(0, |old| old.size)
    }

    /// Bytes that are a version's from now on.
    fn kinds(&self) -> Kinds {
        Kinds {
            versions: self
                .version
                .as_ref()
                .map_or(0, |version| signed(version.file.size)),
            ..Kinds::default()
        }
    }

    /// What a file that is replaced changes in the quota, when the bytes of the new one are in it already.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when the write is malformed.
    pub fn quota_of_replaced(&self) -> Result<Option<Write>, StoreError> {
        let give = QuotaEvent::Give(self.released_bytes());
        let write = |_| quota_by_kind(&self.node.account, give, self.kinds());
        self.replaced.as_ref().map(write).transpose()
    }

    /// Whether the file needs one more reference to its blob. It has one already when the old content was the same.
    #[must_use]
    pub fn adds_reference(&self) -> bool {
        let same = |old: &FileContent| self.node.file.as_ref().is_some_and(|file| file.blob == old.blob);
        !self.replaced.as_ref().is_some_and(same)
    }

    /// The writes that put the file into its place: entry, node, content reference, the folder's count; and the old content becomes
    /// a version, or its blob has one reference less. Not the reference to the new one, nor the quota.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NameTaken`], [`Conflict::ParentGone`],
    /// [`Conflict::NodeChanged`].
    pub fn writes(&self, now: Timestamp) -> Result<Vec<Write>, StoreError> {
        let node = &self.node;
        let Some(file) = &node.file else {
            return tree::insert(node);
        };
        let content_reference = ContentReferenceRow::of(&node.account, &node.id, file);
        let Some(old) = &self.replaced else {
            let mut writes = tree::insert(node)?;
            writes.push(Write::create(&content_reference, Conflict::NameTaken)?);
            return Ok(writes);
        };
        let conflict = Conflict::NodeChanged;
        let mut writes = self.writes_in_place()?;
        if let Some(version) = &self.version {
            // What it refers to, and what finds it by its content, goes on with it.
            writes.push(Write::create(version, conflict)?);
            writes.push(Write::create(&content_reference, conflict)?);
            return Ok(writes);
        }
        if old.number == file.number {
            writes.push(Write::put_unconditional(&content_reference, conflict)?);
        } else {
            let key = ContentReferenceRow::key_of(&node.account, &node.id, old);
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

    /// The writes that give a file that is there another content, as far as the tree knows: node and entry, in a folder that is
    /// not in the trash; and versions that are too many end.
    fn writes_in_place(&self) -> Result<Vec<Write>, StoreError> {
        let node = &self.node;
        let mut writes = vec![Write::replace(node, node.version - 1, Conflict::NodeChanged)?];
        writes.push(tree::replace_entry(node, &node.id)?);
        writes.extend(tree::parent_is_there(node)?);
        for version in &self.surplus {
            writes.push(end_version(version, node.updated_at)?);
        }
        Ok(writes)
    }

    /// The writes by which a version becomes the content of its file again, and that one a version. References and quota stay as
    /// they are.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NodeChanged`] when the file or the version is not
    /// what was read, [`Conflict::ParentGone`].
    pub fn writes_by_restoring(&self, restored: &VersionRow) -> Result<Vec<Write>, StoreError> {
        let Some((version, file)) = self.version.as_ref().zip(self.node.file.as_ref()) else {
            return Err(StoreError::internal(
                "restoring a version",
                "the file has that content",
            ));
        };
        let (account, id, conflict) = (&self.node.account, &self.node.id, Conflict::NodeChanged);
        let mut writes = self.writes_in_place()?;
        writes.push(Write::create(version, conflict)?);
        writes.push(Write::create(
            &ContentReferenceRow::of(account, id, file),
            conflict,
        )?);
        writes.extend(take_out(restored)?);
        let versions = signed(version.file.size) - signed(restored.file.size);
        if versions != 0 {
            let kinds = Kinds {
                versions,
                ..Kinds::default()
            };
            writes.push(quota_by_kind(account, QuotaEvent::Give(0), kinds)?);
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
        let event = QuotaEvent::Take { take, give };
        writes.push(quota_by_kind(&self.node.account, event, self.kinds())?);
        Ok(writes)
    }
}

/// Versions that are too many once a content becomes another one: those that are due already do not count.
fn surplus<'a>(
    versions: impl Iterator<Item = &'a VersionRow>,
    policy: VersionPolicy,
    version: Option<&VersionRow>,
    now: Timestamp,
) -> Vec<VersionRow> {
    let there: Vec<&VersionRow> = versions.filter(|version| version.is_there(now)).collect();
    let held: Vec<_> = there.iter().map(|version| version.held()).collect();
    let more = u64::from(version.is_some_and(|version| !version.file.kept));
    let mut numbers = policy.surplus(&held, more);
    numbers.truncate(MOST_ENDED);
    let is_surplus = |version: &&VersionRow| numbers.contains(&version.file.number);
    there.into_iter().filter(is_surplus).cloned().collect()
}

/// A node looking for its place: a new one, or one that is there and goes somewhere else.
pub struct PlaceSearch {
    wanted: NodeRow,
    on_conflict: OnConflict,
    attempt: u64,
    /// When it is given up.
    until: Option<Timestamp>,
    /// What becomes of the content of a file that gets this one's. Without it such a file itself gives way.
    policy: Option<VersionPolicy>,
    /// The versions of that file.
    versions: Vec<VersionRow>,
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
            policy: None,
            versions: Vec::new(),
            node,
            loser: None,
        }
    }

    /// The file whose name it takes stays, with this one's content, and keeps versions of its own.
    #[must_use]
    pub fn keeping(self, policy: VersionPolicy) -> Self {
        Self {
            policy: Some(policy),
            ..self
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
        match self.loser.clone().zip(self.policy) {
            Some((there, policy)) => {
                let (content, now) = (self.node.file.clone(), self.node.updated_at);
                FilePlacement::in_place_of(there, content, &self.versions, policy, now)
            }
            None => FilePlacement::of_new(self.node.clone()),
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
            Placement::Replace => {
                self.loser = there.flatten();
                let content = self
                    .loser
                    .as_ref()
                    .and_then(|loser| Some((&loser.id, loser.file.as_ref()?)));
                self.versions =
                    match content.filter(|(_, file)| self.policy.is_some() && file.may_have_versions()) {
                        Some((id, _)) => table.tree().versions(account, id).await?.rows,
                        None => Vec::new(),
                    };
            }
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
            file: Some(FileContent::new(
                1,
                None,
                ContentId::of_parts(&[PartDigest::of(blob.as_bytes())]).unwrap(),
                blob.parse().unwrap(),
            )),
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
        let policy = VersionPolicy { most: 1, days: 2 };
        let now = new.updated_at;
        let placement = FilePlacement::in_place_of(there.clone(), new.file.clone(), &[], policy, now);
        assert_eq!(placement.replaced, there.file);
        let node = placement.node;
        let content = new.file.map(|file| FileContent {
            number: 2,
            since: Some(now),
            ..file
        });
        assert_eq!((&node.file, node.updated_at), (&content, now));
        assert_eq!(node.version, there.version + 1);
        assert_eq!(
            (&node.id, node.created_at, node.entries),
            (&there.id, there.created_at, 7)
        );
    }
}
