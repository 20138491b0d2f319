//! Makes a copy of a file. It refers to the same blob: no bytes are moved.

use super::placement::{PlaceSearch, expect_in_tree};
use super::writes::FilePlacement;
use domain::placement::Destination;
use domain::versions::VersionPolicy;
use jiff::Timestamp;
use store::rows::{FileContent, NodeRow};
use store::table::Write;
use store::uploads::TransitionError;
use store::{StoreError, Table};

/// Makes a copy of the file `source`, which has this content, at its destination, with `others` in the same transaction. Returns
/// the file that has the content there: a new one, or the one whose content it replaces. A file that is its own destination stays
/// as it is, and only `others` are written.
///
/// The source may be deleted meanwhile: what was read of it is copied, as long as its blob may be referred to.
///
/// # Errors
/// [`NameTaken`](store::Conflict::NameTaken), [`ParentGone`](store::Conflict::ParentGone),
/// [`QuotaExceeded`](store::Conflict::QuotaExceeded); [`BlobGone`](store::Conflict::BlobGone) when the bytes are lost;
/// [`NodeChanged`](store::Conflict::NodeChanged) when others kept changing the file that is to be replaced; or a conflict of
/// `others`.
pub async fn copy(
    table: &Table,
    (source, content): (&NodeRow, &FileContent),
    destination: &Destination,
    policy: VersionPolicy,
    now: Timestamp,
    others: impl Fn(&NodeRow) -> Result<Vec<Write>, StoreError>,
) -> Result<NodeRow, StoreError> {
    let place = destination.of(&source.name, source.parent.as_ref());
    let account = source.account.clone();
    let wanted = NodeRow::new(table.rng.id(), account, place, Some(content.of_new_file()), now);
    expect_in_tree(table, &wanted).await?;
    let mut search = PlaceSearch::new(wanted, destination.on_conflict.unwrap_or_default()).keeping(policy);
    loop {
        if let Some(itself) = search.loser.take_if(|there| there.id == source.id) {
            let others = others(&itself)?;
            // DynamoDB refuses a transaction that writes nothing.
            if !others.is_empty() {
                table.transact(others).await?;
            }
            return Ok(itself);
        }
        let placement = search.placement();
        let mut writes = placement.writes_by_reference(now)?;
        writes.extend(others(&placement.node)?);
        let error = match table.transact(writes).await {
            Ok(()) => return Ok(placement.node),
            Err(error) => error,
        };
        // This did it, and the answer that said so got lost.
        if error.is_conflict() && is_written(table, &placement).await? {
            return Ok(placement.node);
        }
        search
            .again(table, error.into())
            .await
            .map_err(TransitionError::into_store_error)?;
    }
}

/// Whether a file is what was to be written. The id of a new one nothing else has.
async fn is_written(table: &Table, placement: &FilePlacement) -> Result<bool, StoreError> {
    let node = &placement.node;
    let there = table.tree().get(&node.account, &node.id).await?;
    Ok(there.is_some_and(|there| placement.replaced.is_none() || there == *node))
}
