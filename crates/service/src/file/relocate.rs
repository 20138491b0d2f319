//! Gives a file or folder another name, another folder, or both; or brings it back from the trash.

use super::placement::{PlaceSearch, expect_in_tree};
use domain::placement::Destination;
use domain::trash::expires_at;
use jiff::Timestamp;
use store::accounts::AccountWrites;
use store::rows::NodeRow;
use store::uploads::TransitionError;
use store::{Conflict, StoreError, Table, tree};

/// Brings a node to its destination, and returns it as it is then. What is there already stays as it is. What is in the trash
/// is restored. A file that it replaces goes to the trash, for `trash_days`, or is deleted if that is none.
///
/// # Errors
/// [`Conflict::NameTaken`], [`Conflict::ParentGone`]; of a folder [`Conflict::WithinItself`], [`Conflict::TooDeep`],
/// [`Conflict::InTrash`], [`Conflict::FoldersChanged`] when others kept moving folders; of what is in the trash
/// [`Conflict::BeingRemoved`]; [`Conflict::NodeChanged`] when the node was changed or deleted since it was read.
pub async fn relocate(
    table: &Table,
    node: &NodeRow,
    destination: &Destination,
    trash_days: u64,
    now: Timestamp,
) -> Result<NodeRow, StoreError> {
    let wanted = at_destination(node, destination, now);
    if node.trashed_at.is_none() && (&wanted.name, &wanted.parent) == (&node.name, &node.parent) {
        return Ok(node.clone());
    }
    // DynamoDB refuses a transaction that writes one item twice. Of folders this is looked at with the others.
    if node.file.is_some() && wanted.parent.as_ref() == Some(&node.id) {
        return Err(Conflict::ParentGone.into());
    }
    // Nobody would see it there. Of folders this is looked at with the others, too.
    let is_brought = node.trashed_at.is_some() || node.parent != wanted.parent;
    if node.file.is_some() && is_brought {
        expect_in_tree(table, &wanted).await?;
    }
    let mut bytes = table.trash().bytes_of(node).await?;
    let mut search = PlaceSearch::new(wanted, destination.on_conflict.unwrap_or_default());
    loop {
        let mut writes = tree::relocate(node, &search.node, search.loser.as_ref(), bytes)?;
        if let Some(loser) = &search.loser {
            writes.join(give_way(loser, trash_days, now)?);
        }
        if node.file.is_none() && is_brought {
            writes.extend(table.folders().relocate(&search.node).await?);
        }
        let error = match table.transact(writes.of(&node.account)?).await {
            Ok(()) => return Ok(search.node),
            Err(error) => error,
        };
        if error.is_conflict() {
            match table.tree().get(&node.account, &node.id).await? {
                Some(there) if there.version == node.version => {
                    if there.trashed_at.is_some() && table.trash().is_going(&there).await? {
                        return Err(Conflict::BeingRemoved.into());
                    }
                    // A folder that was counted meanwhile, which happens to it once, has its place as before.
                    let was = std::mem::replace(&mut bytes, table.trash().bytes_of(node).await?);
                    if bytes != was {
                        continue;
                    }
                }
                // This did it, and the answer that said so got lost.
                Some(there) if is_that(&there, &search.node) => return Ok(there),
                Some(_) | None => return Err(Conflict::NodeChanged.into()),
            }
        }
        search
            .again(table, error.into())
            .await
            .map_err(TransitionError::into_store_error)?;
        // The same request again changes nothing.
        if node.trashed_at.is_none() && search.keeps(node) {
            return Ok(node.clone());
        }
    }
}

/// Brings files from one folder, or from the trash, to another folder, all or none, [`tree::MOST_MOVED`] at most. Their names are
/// different, and free there.
///
/// # Errors
/// A conflict, where one of them wants more than that: [`relocate`] does it, and says why it cannot be done.
pub async fn relocate_files(
    table: &Table,
    files: &[NodeRow],
    destination: &Destination,
    now: Timestamp,
) -> Result<Vec<NodeRow>, StoreError> {
    let there = files
        .iter()
        .map(|file| (file.clone(), at_destination(file, destination, now)));
    let there: Vec<_> = there.collect();
    // They all come into the same folder.
    if let Some((_, first)) = there.first() {
        expect_in_tree(table, first).await?;
    }
    table.transact(tree::relocate_files(&there)?).await?;
    Ok(there.into_iter().map(|(_, there)| there).collect())
}

/// A node as it will be at its destination.
fn at_destination(node: &NodeRow, destination: &Destination, now: Timestamp) -> NodeRow {
    let (name, parent) = destination.of(&node.name, node.parent.as_ref());
    NodeRow {
        name,
        parent,
        version: node.version + 1,
        updated_at: now,
        trashed_at: None,
        ..node.clone()
    }
}

/// What becomes of a file whose name another has taken.
fn give_way(loser: &NodeRow, trash_days: u64, now: Timestamp) -> Result<AccountWrites, StoreError> {
    match &loser.file {
        Some(file) if trash_days == 0 && !file.may_have_versions() => tree::delete_file(loser, file, now),
        // Without a trash the sweep removes it, when its versions are gone.
        _ => tree::enter_trash(loser, now, expires_at(now, trash_days), trash_days == 0),
    }
}

/// Whether a node is what was written. How many entries a folder has others change.
fn is_that(there: &NodeRow, written: &NodeRow) -> bool {
    let entries = there.entries;
    *there
        == NodeRow {
            entries,
            ..written.clone()
        }
}
