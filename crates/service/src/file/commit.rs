//! An upload becomes a file: the one transaction that commits it, in the place where the file belongs.

use super::placement::PlaceSearch;
use domain::id::NodeId;
use domain::placement::{Placement, place};
use domain::targets::registry::Member;
use domain::upload::UploadEvent;
use domain::versions::VersionPolicy;
use jiff::Timestamp;
use store::blobs;
use store::rows::{BlobRow, FileContent, NodeRow, UploadRow};
use store::tree::Kind;
use store::uploads::TransitionError;
use store::{Conflict, StoreError, Table};

/// The node that an upload becomes, where nothing has its name.
#[must_use]
pub fn node_of(upload: &UploadRow, id: NodeId, file: &FileContent, now: Timestamp) -> NodeRow {
    let place = (upload.name.clone(), upload.parent.clone());
    NodeRow::new(id, upload.account.clone(), place, Some(file.clone()), now)
}

/// Moves an upload on as `event` says, together with its file, in the place where that belongs. `new_blob`: the blob of the
/// file comes into being with it, and is replicated to these targets; otherwise it is there. Returns the
/// upload and its file as they are then.
///
/// # Errors
/// [`TransitionError::Refused`] when the event does not apply; [`Conflict::UploadChanged`], [`Conflict::ContentExists`],
/// [`Conflict::BlobGone`], [`Conflict::NameTaken`], [`Conflict::ParentGone`]; [`Conflict::NodeChanged`] when others kept
/// changing the file that is to be replaced.
pub async fn commit_file(
    table: &Table,
    upload: &UploadRow,
    event: UploadEvent,
    file: &FileContent,
    new_blob: Option<(&BlobRow, &[Member])>,
    policy: VersionPolicy,
    now: Timestamp,
) -> Result<(UploadRow, NodeRow), TransitionError> {
    let node = node_of(upload, table.rng.id(), file, now);
    let mut search = PlaceSearch::new(node, upload.on_conflict).keeping(policy);
    loop {
        let placement = search.placement();
        let mut writes = match new_blob {
            Some((blob, targets)) => blobs::create(blob, targets, now)?,
            None if placement.adds_reference() => vec![blobs::refer(&file.blob)?],
            None => vec![],
        };
        writes.extend(placement.writes(now)?);
        writes.extend(placement.quota_of_replaced()?);
        let finish = |next: &mut UploadRow| next.became(&placement.node);
        match table
            .uploads()
            .transition(upload, event, now, finish, writes)
            .await
        {
            Ok(complete) => return Ok((complete, placement.node)),
            Err(error) => search.again(table, error).await?,
        }
    }
}

/// Refuses early what the final write would refuse after all the bytes were sent.
///
/// # Errors
/// [`Conflict::ParentGone`] or [`Conflict::NameTaken`].
pub async fn check_placement(table: &Table, upload: &UploadRow) -> Result<(), StoreError> {
    let UploadRow {
        account,
        parent,
        name,
        on_conflict,
        ..
    } = upload;
    if let Some(parent) = parent {
        match table.tree().kind(account, parent).await? {
            Some(Kind::Folder) => {}
            Some(Kind::File | Kind::FolderInTrash) | None => return Err(Conflict::ParentGone.into()),
        }
    }
    let taken = table.tree().taken(account, parent.as_ref(), name).await?;
    match place(*on_conflict, taken.map(|(taken, _)| taken)) {
        Placement::Refuse => Err(Conflict::NameTaken.into()),
        Placement::Insert | Placement::Replace | Placement::Rename => Ok(()),
    }
}
