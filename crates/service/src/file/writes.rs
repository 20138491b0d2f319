//! What a new file or folder, or a new content of a file that is there, writes.

use domain::account::QuotaEvent;
use domain::versions::VersionPolicy;
use jiff::Timestamp;
use std::collections::HashMap;
use store::accounts::{Kinds, quota_by_kind, signed};
use store::blobs;
use store::rows::{ContentReferenceRow, FileContent, NodeRow, VersionRow};
use store::table::Write;
use store::tree;
use store::versions::{end, take_out};
use store::{Conflict, StoreError};

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
            writes.push(end(version, node.updated_at)?);
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
