//! Deletes a file or a folder: into the trash, or permanently.

use crate::trash::purge::Purge;
use domain::trash::expires_at;
use jiff::Timestamp;
use store::rows::{NodeRow, TrashRow};
use store::table::Row;
use store::tree::{MOST_MOVED, MOST_TOGETHER};
use store::{Conflict, ErrorKind, StoreError, Table};

/// How something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It goes to the trash, with all that is in it, for so many days.
    IntoTrash {
        /// At least one.
        days: u64,
    },
    /// It is removed, with all that is in it. What does not fit into one transaction the sweep removes.
    Permanent,
    /// It is removed, and a folder only if it is empty.
    PermanentIfEmpty,
}

/// Deletes a node. Returns how many uploads into it are under way, if it is a folder: they need another place.
///
/// # Errors
/// [`Conflict::FolderNotEmpty`] of [`Deletion::PermanentIfEmpty`]; [`Conflict::NodeChanged`] when it was changed meanwhile.
pub async fn delete(
    table: &Table,
    node: &NodeRow,
    deletion: Deletion,
    now: Timestamp,
) -> Result<u32, StoreError> {
    // Before, so that nothing is deleted without its being told.
    let open_uploads = match node.file {
        Some(_) => 0,
        None => table.uploads().count_into(&node.account, &node.id).await?,
    };
    let deleted = match deletion {
        Deletion::IntoTrash { .. } if node.trashed_at.is_some() => Ok(()),
        Deletion::IntoTrash { days } => {
            let tree = table.tree();
            tree.trash(node, now, expires_at(now, days), false).await
        }
        Deletion::Permanent => remove(table, node, now).await,
        Deletion::PermanentIfEmpty if node.file.is_some() => remove(table, node, now).await,
        Deletion::PermanentIfEmpty => table.tree().delete(node, now).await,
    };
    match deleted {
        // Somebody else deleted it, or this did, and the answer that said so got lost.
        Err(error) if error.is_conflict() && is_deleted(table, node, deletion).await? => Ok(open_uploads),
        deleted => deleted.map(|()| open_uploads),
    }
}

/// Deletes files of one folder, or files that are in the trash, all or none: [`most_files`] at most, no two of one name.
///
/// # Errors
/// A conflict when one of them was changed meanwhile: [`delete`] says which.
pub async fn delete_files(
    table: &Table,
    files: &[NodeRow],
    deletion: Deletion,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Deletion::IntoTrash { days } = deletion {
        return table.tree().trash_files(files, now, expires_at(now, days)).await;
    }
    let with_content = |node: &NodeRow| Some((node.clone(), node.file.clone()?));
    let files: Vec<_> = files.iter().filter_map(with_content).collect();
    table.tree().delete_files(&files, now).await
}

/// How many files [`delete_files`] takes.
#[must_use]
pub fn most_files(deletion: Deletion) -> usize {
    match deletion {
        Deletion::IntoTrash { .. } => MOST_MOVED,
        Deletion::Permanent | Deletion::PermanentIfEmpty => MOST_TOGETHER,
    }
}

/// Removes a file or an empty folder. A folder with entries, or a file that may have versions, nobody sees any more from the first
/// write on; what is not removed then, the sweep removes.
async fn remove(table: &Table, node: &NodeRow, now: Timestamp) -> Result<(), StoreError> {
    if node.entries == 0 && !node.may_have_versions() {
        match table.tree().delete(node, now).await {
            Err(StoreError {
                kind: ErrorKind::Conflict(Conflict::FolderNotEmpty),
                ..
            }) => {}
            removed => return removed,
        }
    }
    let row = TrashRow {
        purging: true,
        ..TrashRow::new(node, node.trashed_at.unwrap_or(now), now)
    };
    match node.trashed_at {
        None => table.tree().trash(node, now, now, true).await?,
        Some(trashed_at) if table.trash().purge(&row.key(), trashed_at).await? => {}
        Some(_) => return Err(Conflict::NodeChanged.into()),
    }
    if node.file.is_some() {
        let purge = Purge {
            table,
            trash_days: 0,
            go_on: || true,
        };
        if let Err(error) = purge.run(&row).await {
            tracing::warn!(node = %node.id, error = error.for_log(), "left to the sweep: removing a file with its versions");
        }
    }
    Ok(())
}

/// Whether what was to become of a node is true of it, although a write of it failed.
async fn is_deleted(table: &Table, node: &NodeRow, deletion: Deletion) -> Result<bool, StoreError> {
    let Some(there) = table.tree().remains(&node.account, &node.id).await? else {
        return Ok(true);
    };
    match deletion {
        Deletion::IntoTrash { .. } => Ok(there.trashed_at.is_some()),
        Deletion::PermanentIfEmpty if there.file.is_none() => Ok(false),
        Deletion::Permanent | Deletion::PermanentIfEmpty => table.trash().is_going(&there).await,
    }
}
