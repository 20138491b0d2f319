//! Makes a folder.

use crate::file::placement::PlaceSearch;
use domain::placement::OnConflict;
use store::rows::NodeRow;
use store::table::Write;
use store::uploads::TransitionError;
use store::{StoreError, Table};

/// Makes a folder, with `others` in the same transaction. Returns it with the name that it got.
///
/// # Errors
/// [`NameTaken`](store::Conflict::NameTaken), [`ParentGone`](store::Conflict::ParentGone) or
/// [`TooDeep`](store::Conflict::TooDeep), or a conflict of `others`.
pub async fn create_folder(
    table: &Table,
    folder: NodeRow,
    on_conflict: OnConflict,
    others: impl Fn(&NodeRow) -> Result<Vec<Write>, StoreError>,
) -> Result<NodeRow, StoreError> {
    let mut search = PlaceSearch::new(folder, on_conflict);
    loop {
        let folder = &search.node;
        let mut writes = search.placement().writes(folder.created_at)?;
        writes.extend(table.folders().create(folder).await?);
        writes.extend(others(folder)?);
        let error = match table.transact(writes).await {
            Ok(()) => return Ok(search.node),
            // The id is new: a folder that has it is ours, and the answer that said so got lost.
            Err(error)
                if error.is_conflict() && table.tree().get(&folder.account, &folder.id).await?.is_some() =>
            {
                return Ok(search.node);
            }
            Err(error) => error,
        };
        search
            .again(table, error.into())
            .await
            .map_err(TransitionError::into_store_error)?;
    }
}
