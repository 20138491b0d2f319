//! What transactions about files and folders write.

use crate::accounts::AccountWrites;
use crate::blobs;
use crate::error::{Conflict, StoreError};
use crate::folders::Folders;
use crate::rows::{ContentReferenceRow, EmptiedRow, EntryRow, FileContent, FolderRow, NodeRow, TrashRow};
use crate::table::{Change, Key, Row, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{BlobId, NodeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// How many files are removed in one transaction at most: three items of each, its blob, their folder and their account.
pub const MOST_TOGETHER: usize = 24;

/// How many files go somewhere else in one transaction at most: three items of each, their folders or what says when the trash was
/// emptied, and their account.
pub const MOST_MOVED: usize = 32;

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
    writes.extend(more(node, 1)?);
    Ok(writes)
}

/// The writes that give a node that is there, `from`, another name, another folder or both, as `to` has them: entry, node,
/// and the counts of both folders. It may be in the trash, where it has so many `bytes`: it is restored then. `loser` is the file that
/// has the name there; what becomes of it is for other writes to say.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflicts: [`Conflict::NameTaken`], [`Conflict::ParentGone`],
/// [`Conflict::NodeChanged`] when the node or the loser was changed meanwhile, or is to be removed, or was counted.
pub fn relocate(
    from: &NodeRow,
    to: &NodeRow,
    loser: Option<&NodeRow>,
    bytes: Option<u64>,
) -> Result<AccountWrites, StoreError> {
    let mut writes = AccountWrites::from(Vec::from(arrive(from, to, loser)?));
    let stays = from.trashed_at.is_none() && from.parent == to.parent;
    if !stays {
        writes.extend(match loser {
            None => more(to, 1)?,
            Some(_) => parent_is_there(to)?,
        });
    }
    depart(from, bytes, &mut writes)?;
    match from.trashed_at {
        Some(trashed_at) => writes.push(is_kept(from, trashed_at)?),
        None if loser.is_some() || !stays => writes.extend(fewer(from, 1)?),
        None => {}
    }
    Ok(writes)
}

/// The writes that bring files, as they are and as they will be, from one folder to another, or from the trash to one folder: as
/// [`relocate`], with what they have in common once. [`MOST_MOVED`] at most, no two of one name.
///
/// # Errors
/// Those of [`relocate`].
pub fn relocate_files(files: &[(NodeRow, NodeRow)]) -> Result<Vec<Write>, StoreError> {
    let Some((first, first_to)) = files.first() else {
        return Ok(Vec::new());
    };
    let mut writes = AccountWrites::default();
    for (from, to) in files {
        writes.extend(arrive(from, to, None)?);
        depart(from, size(from), &mut writes)?;
    }
    writes.extend(more(first_to, files.len() as u64)?);
    // What is true of the one that came into the trash first is true of all.
    match files.iter().filter_map(|(from, _)| from.trashed_at).min() {
        Some(trashed_at) => writes.push(is_kept(first, trashed_at)?),
        None => writes.extend(fewer(first, files.len() as u64)?),
    }
    writes.of(&first.account)
}

/// A node becomes what it is elsewhere, and has its name there: a free one, or that of a file, `loser`.
fn arrive(from: &NodeRow, to: &NodeRow, loser: Option<&NodeRow>) -> Result<[Write; 2], StoreError> {
    let conflict = Conflict::NodeChanged;
    let (remove, set) = match &to.parent {
        Some(_) => ("trashed_at", "parent = :parent, "),
        None => ("trashed_at, parent", ""),
    };
    let mut change = Change::new(
        to.key(),
        &format!("REMOVE {remove} SET {set}#name = :name, version = :next, updated_at = :now"),
        "version = :version",
    )
    .with(":name", text(&to.name))
    .with(":next", number(to.version))
    .with(":now", text(&to.updated_at))
    .with(":version", number(from.version));
    if let Some(parent) = &to.parent {
        change = change.with(":parent", text(parent));
    }
    let entry = match loser {
        None => Write::create(&EntryRow::of(to), Conflict::NameTaken)?,
        Some(loser) => replace_entry(to, &loser.id)?,
    };
    Ok([Write::update(&change, conflict)?, entry])
}

/// A node that goes on elsewhere is not where it was any more. What is in the trash stays there if somebody wants it to be removed.
fn depart(from: &NodeRow, bytes: Option<u64>, writes: &mut AccountWrites) -> Result<(), StoreError> {
    match TrashRow::key_for(from) {
        Some(key) => leave_trash(&key, bytes, " AND attribute_not_exists(purging)", writes),
        None => {
            writes.push(remove_entry(from)?);
            Ok(())
        }
    }
}

/// What is in the trash is not there any more, and the bytes that it has there are the trash's no more. They are what was read, or
/// nothing is written: a folder may be counted meanwhile.
fn leave_trash(
    row: &Key,
    bytes: Option<u64>,
    also: &str,
    writes: &mut AccountWrites,
) -> Result<(), StoreError> {
    let (same, values) = TrashRow::still_has(bytes);
    let condition = format!("{same}{also}");
    writes.push(Write::delete(row, &condition, values, Conflict::NodeChanged)?);
    writes.leave_trash(bytes.unwrap_or_default());
    Ok(())
}

/// The trash was not emptied since this moment.
fn is_kept(node: &NodeRow, trashed_at: Timestamp) -> Result<Write, StoreError> {
    let moment = AttributeValue::N(trashed_at.as_millisecond().to_string());
    Write::condition_check(
        &EmptiedRow::key_of(&node.account),
        "attribute_not_exists(pk) OR through < :moment",
        HashMap::from([(":moment".to_owned(), moment)]),
        Conflict::NodeChanged,
    )
}

/// The entry of a node takes the place of another's of the same name, or of an earlier one of its own.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflict: [`Conflict::NodeChanged`].
pub fn replace_entry(node: &NodeRow, there: &NodeId) -> Result<Write, StoreError> {
    let values = HashMap::from([(":there".to_owned(), text(there))]);
    Write::put(
        &EntryRow::of(node),
        "node = :there",
        values,
        Conflict::NodeChanged,
    )
}

/// The writes that take a node away from where it is, in the tree or in the trash, where it has so many `bytes`, beside those of the
/// node itself.
pub(super) fn leave(node: &NodeRow, bytes: Option<u64>) -> Result<AccountWrites, StoreError> {
    let mut writes = AccountWrites::default();
    remove_place(node, bytes, &mut writes)?;
    if node.trashed_at.is_none() {
        writes.extend(fewer(node, 1)?);
    }
    Ok(writes)
}

/// What says where a node is goes: its entry, or that it is in the trash.
fn remove_place(node: &NodeRow, bytes: Option<u64>, writes: &mut AccountWrites) -> Result<(), StoreError> {
    match TrashRow::key_for(node) {
        Some(key) => leave_trash(&key, bytes, "", writes),
        None => {
            writes.push(remove_entry(node)?);
            Ok(())
        }
    }
}

/// The writes that bring files of one folder into the trash, [`MOST_MOVED`] at most.
pub(super) fn trash_files(
    files: &[NodeRow],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    let Some(first) = files.first() else {
        return Ok(Vec::new());
    };
    let mut writes = AccountWrites::default();
    for file in files {
        writes.push(remove_entry(file)?);
        writes.join(enter_trash(file, now, expires_at, false)?);
    }
    writes.extend(fewer(first, files.len() as u64)?);
    writes.of(&first.account)
}

/// The writes that bring a node into the trash, beside those that take it out of its folder.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflict: [`Conflict::NodeChanged`] when it was changed meanwhile.
pub fn enter_trash(
    node: &NodeRow,
    now: Timestamp,
    expires_at: Timestamp,
    purging: bool,
) -> Result<AccountWrites, StoreError> {
    let conflict = Conflict::NodeChanged;
    let mark = Change::new(
        node.key(),
        "SET trashed_at = :now, version = :next",
        "version = :version",
    )
    .with(":now", text(&now))
    .with(":next", number(node.version + 1))
    .with(":version", number(node.version));
    let row = TrashRow {
        purging,
        ..TrashRow::new(node, now, expires_at)
    };
    let mut writes = AccountWrites::from(vec![
        Write::update(&mark, conflict)?,
        Write::create(&row, conflict)?,
    ]);
    writes.enter_trash(row.bytes.unwrap_or_default());
    if node.file.is_none() {
        writes.extend(Folders::trash(node)?);
    }
    Ok(writes)
}

/// The writes that remove a file with what it refers to, beside those that take it out of its folder.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflict: [`Conflict::NodeChanged`] when it was changed meanwhile.
pub fn delete_file(node: &NodeRow, file: &FileContent, now: Timestamp) -> Result<AccountWrites, StoreError> {
    let mut writes = AccountWrites::from(Vec::from(delete_node(node, file)?));
    writes.push(blobs::release(&file.blob, 1, now)?);
    writes.give(file.size);
    Ok(writes)
}

/// The writes that remove files of one folder, or files that are in the trash. No item may be written twice in a transaction, so
/// what they have in common is changed once.
pub(super) fn delete_files(
    files: &[(NodeRow, FileContent)],
    now: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    let Some((first, _)) = files.first() else {
        return Ok(Vec::new());
    };
    let mut writes = AccountWrites::default();
    let mut blobs: BTreeMap<&BlobId, u64> = BTreeMap::new();
    for (node, file) in files {
        remove_place(node, Some(file.size), &mut writes)?;
        writes.extend(delete_node(node, file)?);
        writes.give(file.size);
        *blobs.entry(&file.blob).or_default() += 1;
    }
    if first.trashed_at.is_none() {
        writes.extend(fewer(first, files.len() as u64)?);
    }
    for (blob, references) in blobs {
        writes.push(blobs::release(blob, references, now)?);
    }
    writes.of(&first.account)
}

/// How many bytes a file has.
fn size(node: &NodeRow) -> Option<u64> {
    node.file.as_ref().map(|file| file.size)
}

/// A file, and what finds it by its content.
fn delete_node(node: &NodeRow, file: &FileContent) -> Result<[Write; 2], StoreError> {
    let conflict = Conflict::NodeChanged;
    let same = HashMap::from([(":version".to_owned(), number(node.version))]);
    let reference = ContentReferenceRow::key_of(&node.account, &node.id, file);
    Ok([
        Write::delete(&node.key(), "version = :version", same, conflict)?,
        Write::delete(&reference, "attribute_exists(pk)", HashMap::new(), conflict)?,
    ])
}

/// An empty folder.
pub(super) fn delete_folder(node: &NodeRow) -> Result<[Write; 2], StoreError> {
    let values = HashMap::from([
        (":none".to_owned(), number(0)),
        (":version".to_owned(), number(node.version)),
    ]);
    let empty = "entries = :none AND version = :version";
    let folder = FolderRow::key_of(&node.account, &node.id);
    let there = "attribute_exists(pk)";
    Ok([
        Write::delete(&node.key(), empty, values, Conflict::FolderNotEmpty)?,
        Write::delete(&folder, there, HashMap::new(), Conflict::NodeChanged)?,
    ])
}

/// The entry of a node goes, as long as it is that node's.
fn remove_entry(node: &NodeRow) -> Result<Write, StoreError> {
    let still_mine = HashMap::from([(":node".to_owned(), text(&node.id))]);
    let entry = EntryRow::of(node).key();
    Write::delete(&entry, "node = :node", still_mine, Conflict::NodeChanged)
}

/// The folder of a node has so many entries more; the root counts none. What is in the trash gets none.
fn more(node: &NodeRow, entries: u64) -> Result<Option<Write>, StoreError> {
    let there = "attribute_exists(pk) AND attribute_not_exists(#file) AND attribute_not_exists(trashed_at)";
    let more = "SET entries = entries + :some";
    count(node, more, entries, there, Conflict::ParentGone)
}

/// The folder of a node has as many entries as before. What is in the trash gets nothing new.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflict: [`Conflict::ParentGone`].
pub fn parent_is_there(node: &NodeRow) -> Result<Option<Write>, StoreError> {
    let there = "attribute_exists(pk) AND attribute_not_exists(trashed_at)";
    let check = |parent| {
        let key = NodeRow::key_of(&node.account, parent);
        Write::condition_check(&key, there, HashMap::new(), Conflict::ParentGone)
    };
    node.parent.as_ref().map(check).transpose()
}

/// The folder of a node has so many entries less.
fn fewer(node: &NodeRow, entries: u64) -> Result<Option<Write>, StoreError> {
    let (less, there) = ("SET entries = entries - :some", "attribute_exists(pk)");
    count(node, less, entries, there, Conflict::NodeChanged)
}

fn count(
    node: &NodeRow,
    update: &str,
    some: u64,
    condition: &str,
    conflict: Conflict,
) -> Result<Option<Write>, StoreError> {
    let Some(parent) = &node.parent else {
        return Ok(None);
    };
    let change = Change::new(NodeRow::key_of(&node.account, parent), update, condition);
    Write::update(&change.with(":some", number(some)), conflict).map(Some)
}
