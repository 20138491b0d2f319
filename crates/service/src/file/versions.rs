//! Earlier contents of a file: one becomes its content again, is kept for good, or goes.

use super::writes::FilePlacement;
use domain::id::AccountId;
use domain::trash::expires_at;
use domain::versions::{MOST_KEPT, VersionId, VersionPolicy};
use store::rows::{FileContent, NodeRow, VersionRow};
use store::table::Rows;
use store::versions::MOST_TOGETHER;
use store::{Conflict, StoreError, Table};

/// How often something is tried that others were faster at.
const ATTEMPTS: u32 = 10;

/// The versions of a file that its owner sees, the newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(table: &Table, node: &NodeRow) -> Result<Rows<VersionRow>, StoreError> {
    if !node.may_have_versions() {
        return Ok(Rows {
            rows: Vec::new(),
            unreadable: Vec::new(),
        });
    }
    let mut there = table.versions().of_file(&node.account, &node.id).await?;
    let now = table.now();
    there.rows.retain(|version| version.is_there(now));
    there.rows.reverse();
    Ok(there)
}

/// A version of a file that its owner sees.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    table: &Table,
    account: &AccountId,
    id: &VersionId,
) -> Result<Option<VersionRow>, StoreError> {
    let version = table.versions().get(account, &id.node, id.number).await?;
    Ok(version.filter(|version| version.is_there(table.now())))
}

/// Gives a file the content of a version again; the one that it has becomes a version. Needs no room. Where it has that content,
/// nothing happens. Returns the file as it is then, or nothing where there is no such version.
///
/// # Errors
/// [`Conflict::InTrash`], [`Conflict::ParentGone`]; [`Conflict::NodeChanged`] when others kept changing the file or its versions.
pub async fn restore(
    table: &Table,
    node: &NodeRow,
    number: u64,
    policy: VersionPolicy,
) -> Result<Option<NodeRow>, StoreError> {
    let mut node = node.clone();
    let mut attempt = 0;
    loop {
        if node.trashed_at.is_some() {
            return Err(Conflict::InTrash.into());
        }
        let Some(current) = node.file.clone() else {
            return Ok(None);
        };
        // This did it, and the answer that said so got lost.
        if current.number == number || current.restored == Some(number) {
            return Ok(Some(node));
        }
        let there = list(table, &node).await?.rows;
        let Some(version) = there.iter().find(|version| version.file.number == number) else {
            return Ok(None);
        };
        if is_same(&current, &version.file) {
            return Ok(Some(node));
        }
        let now = table.now();
        let placement = FilePlacement::restoring(node, current.clone(), version, &there, policy, now);
        match table.transact(placement.writes_by_restoring(version)?).await {
            Ok(()) => return Ok(Some(placement.node)),
            Err(error) if error.conflict() == Some(Conflict::NodeChanged) && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
        let before = placement.node;
        node = match table.tree().get(&before.account, &before.id).await? {
            // Somebody else gave it another content meanwhile: that may be what they want to keep.
            Some(there) if there.file.as_ref().map(|file| file.number) == Some(current.number) => there,
            Some(there) if there.file.as_ref().and_then(|file| file.restored) == Some(number) => {
                return Ok(Some(there));
            }
            Some(_) => return Err(Conflict::NodeChanged.into()),
            None => return Ok(None),
        };
    }
}

/// Keeps a version for good, or not any more: then it stays as long as if it had become one now. Returns it as it is then.
///
/// # Errors
/// [`Conflict::TooManyKept`]; [`Conflict::NodeChanged`] when others kept changing it.
pub async fn keep(
    table: &Table,
    node: &NodeRow,
    number: u64,
    kept: bool,
    policy: VersionPolicy,
) -> Result<Option<VersionRow>, StoreError> {
    let mut attempt = 0;
    loop {
        let there = list(table, node).await?.rows;
        let Some(version) = there.iter().find(|version| version.file.number == number) else {
            return Ok(None);
        };
        if version.file.kept == kept {
            return Ok(Some(version.clone()));
        }
        if kept && there.iter().filter(|version| version.file.kept).count() >= MOST_KEPT {
            return Err(Conflict::TooManyKept.into());
        }
        let until = (!kept).then(|| expires_at(table.now(), policy.days));
        match table.versions().keep(version, until).await {
            Ok(()) => {
                let mut version = version.clone();
                version.file.kept = kept;
                version.expires_at = until.unwrap_or(version.expires_at);
                return Ok(Some(version));
            }
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Removes a version. Returns whether there was one.
///
/// # Errors
/// [`Conflict::NodeChanged`] when others kept changing it.
pub async fn delete(table: &Table, account: &AccountId, id: &VersionId) -> Result<bool, StoreError> {
    let mut attempt = 0;
    loop {
        let Some(version) = find(table, account, id).await? else {
            // The first attempt may have done it, and its answer got lost.
            return Ok(attempt > 0);
        };
        match table.versions().remove(&[version], table.now()).await {
            Ok(()) => return Ok(true),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Removes all versions of a file that is to be removed itself, as long as `go_on` says so. Returns whether none is left.
///
/// # Errors
/// [`StoreError`] when one of them cannot be read: what it refers to is not known, so it stays, and the file with it.
pub async fn remove_all(table: &Table, node: &NodeRow, go_on: impl Fn() -> bool) -> Result<bool, StoreError> {
    if !node.may_have_versions() {
        return Ok(true);
    }
    let mut attempt = 0;
    loop {
        let Rows { rows, unreadable } = table.versions().of_file(&node.account, &node.id).await?;
        let mut changed = None;
        for some in rows.chunks(MOST_TOGETHER) {
            if !go_on() {
                return Ok(false);
            }
            match table.versions().remove(some, table.now()).await {
                Err(error) if error.is_conflict() => changed = Some(error),
                done => done?,
            }
        }
        match (changed, unreadable.into_iter().next()) {
            (None, None) => return Ok(true),
            (None, Some(key)) => return Err(StoreError::unreadable(key)),
            (Some(_), _) if attempt < ATTEMPTS => attempt += 1,
            (Some(error), _) => return Err(error),
        }
    }
}

/// Whether a file would not change by getting this content.
fn is_same(current: &FileContent, other: &FileContent) -> bool {
    (&current.blob, &current.content_type) == (&other.blob, &other.content_type)
}
