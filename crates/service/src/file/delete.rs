//! Deletes a file or an empty folder.

use jiff::Timestamp;
use store::rows::NodeRow;
use store::{StoreError, Table};

/// Removes a node. Returns how many uploads into it are under way, if it is a folder: they need another place.
///
/// # Errors
/// [`Conflict::FolderNotEmpty`](store::Conflict::FolderNotEmpty); [`Conflict::NodeChanged`](store::Conflict::NodeChanged) when
/// it was changed meanwhile.
pub async fn delete(table: &Table, node: &NodeRow, now: Timestamp) -> Result<u32, StoreError> {
    let tree = table.tree();
    // Before, so that nothing is deleted without its being told.
    let open_uploads = match node.file {
        Some(_) => 0,
        None => table.uploads().count_into(&node.account, &node.id).await?,
    };
    match tree.delete(node, now).await {
        Ok(()) => Ok(open_uploads),
        // Somebody else deleted it, or this did, and the answer that said so got lost.
        Err(error) if error.is_conflict() && tree.kind(&node.account, &node.id).await?.is_none() => {
            Ok(open_uploads)
        }
        Err(error) => Err(error),
    }
}
