//! Begins an upload, or spares the client sending the bytes: at once when the account has a file with them, after a proof
//! when somebody else has.

use super::prove;
use crate::file::commit::node_of;
use crate::file::ensure_replicas::ensure_replicas;
use crate::file::placement::PlaceSearch;
use domain::proof::{ACCOUNTS_AT_A_SOURCE, LOOK_UP_COST, MIN_SIZE, Nonce};
use domain::throttle::Source;
use domain::upload::{Beginning, Lifecycle};
use domain::versions::VersionPolicy;
use store::rows::{Allowance, FileContent, NodeRow, ReplicaRow, UploadRow};
use store::table::Write;
use store::uploads::TransitionError;
use store::{Conflict, StartQueue, StoreError, Table};

/// An upload that was complete at once.
#[derive(Debug)]
pub struct Instant {
    /// The upload.
    pub upload: UploadRow,
    /// Its file.
    pub node: NodeRow,
    /// The copies of its bytes.
    pub replicas: Vec<ReplicaRow>,
}

/// Makes the file of a new upload at once, with `others`, if the account has another one with these bytes. `None`: it is an
/// ordinary upload, and nothing was written.
///
/// # Errors
/// [`Conflict::QuotaExceeded`], [`Conflict::NameTaken`], [`Conflict::ParentGone`], or a conflict of `others`.
pub async fn instant(
    table: &Table,
    queue: &StartQueue,
    upload: &UploadRow,
    policy: VersionPolicy,
    others: impl Fn(&UploadRow, &NodeRow, &[ReplicaRow]) -> Result<Vec<Write>, StoreError>,
) -> Result<Option<Instant>, StoreError> {
    let Some(content_id) = upload.content_id else {
        return Ok(None);
    };
    let blob = table.blobs().of_account(&upload.account, &content_id).await?;
    let Some(blob) = blob.filter(|blob| blob.size == upload.size) else {
        return Ok(None);
    };
    let replicas = table.replicas().readable(&blob.id).await?;
    let file = FileContent::of(upload, content_id, &blob.id);
    let node = node_of(upload, table.rng.id(), &file, upload.created_at);
    let lifecycle = Lifecycle::new(Beginning::AtOnce, upload.expires_at);
    let complete = UploadRow {
        state: lifecycle.state,
        ended_at: Some(upload.created_at),
        ..upload.clone()
    };
    let others = |upload: &UploadRow, node: &NodeRow| others(upload, node, &replicas);
    let (upload, node) = match commit(table, &complete, node, policy, others).await {
        Ok(made) => made,
        // The other file was deleted meanwhile, and its bytes are going: an ordinary upload it is.
        Err(error) if error.conflict() == Some(Conflict::BlobGone) => return Ok(None),
        Err(error) => return Err(error),
    };
    ensure_replicas(table, queue, &node).await;
    Ok(Some(Instant {
        upload,
        node,
        replicas,
    }))
}

/// Lets the client prove that it has the bytes, if somebody else has them. Without asking who does, and only so often an
/// hour.
///
/// # Errors
/// [`StoreError`].
pub async fn challenge(
    table: &Table,
    upload: UploadRow,
    source: &Source,
    attempts_per_hour: u64,
) -> Result<UploadRow, StoreError> {
    let Some(content_id) = upload.content_id.filter(|_| upload.size >= MIN_SIZE) else {
        return Ok(upload);
    };
    if !may_ask(table, &upload, source, attempts_per_hour).await? {
        return Ok(upload);
    }
    let blob = table.blobs().with_content(&content_id, None).await?;
    let Some(blob) = blob.filter(|blob| blob.size == upload.size) else {
        return Ok(upload);
    };
    let nonce = Nonce::from_bytes(table.rng.random());
    let stored = prove::challenge(&upload.account, &blob, nonce, upload.created_at);
    let beginning = Beginning::Challenged(stored.challenge.expires_at);
    Ok(UploadRow {
        state: Lifecycle::new(beginning, upload.expires_at).state,
        challenge: Some(stored),
        ..upload
    })
}

/// Counts that somebody asks for a content that they do not have. Returns whether they may.
async fn may_ask(table: &Table, upload: &UploadRow, source: &Source, limit: u64) -> Result<bool, StoreError> {
    let (throttle, now) = (table.throttle(), upload.created_at);
    let account = Allowance::LookUps(&upload.account);
    if !throttle.spend(&account, LOOK_UP_COST, limit, now).await? {
        return Ok(false);
    }
    let limit = limit.saturating_mul(ACCOUNTS_AT_A_SOURCE);
    let source = Allowance::LookUpsFrom(source);
    throttle.spend(&source, LOOK_UP_COST, limit, now).await
}

/// Writes a new upload that is complete at once, with its file and `others`, or nothing: the account has a file with
/// these bytes. Returns the upload and its file.
///
/// # Errors
/// [`Conflict::QuotaExceeded`], [`Conflict::NameTaken`], [`Conflict::ParentGone`], [`Conflict::BlobGone`], or a
/// conflict of `others`.
async fn commit(
    table: &Table,
    upload: &UploadRow,
    node: NodeRow,
    policy: VersionPolicy,
    others: impl Fn(&UploadRow, &NodeRow) -> Result<Vec<Write>, StoreError>,
) -> Result<(UploadRow, NodeRow), StoreError> {
    let mut search = PlaceSearch::new(node, upload.on_conflict).keeping(policy);
    loop {
        let placement = search.placement();
        let mut complete = upload.clone();
        complete.became(&placement.node);
        let mut writes = placement.writes_by_reference(upload.created_at)?;
        writes.extend(others(&complete, &placement.node)?);
        match table.uploads().insert(&complete, writes).await {
            Ok(()) => return Ok((complete, placement.node)),
            Err(error) => search
                .again(table, error.into())
                .await
                .map_err(TransitionError::into_store_error)?,
        }
    }
}
