//! Proof of possession: a client that shows that it has the bytes of a blob gets a file of it without sending
//! them.

use crate::file::commit::commit_file;
use domain::blob;
use domain::id::AccountId;
use domain::proof::{ByteRange, Challenge, FAILURE_COST, Nonce, Proof};
use domain::reconcile::examine;
use domain::upload::{Refusal, State, UploadEvent, step};
use domain::versions::VersionPolicy;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use store::error::describe;
use store::rows::{Allowance, BlobRow, FileContent, NodeRow, StoredChallenge, UploadRow, object_key};
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, Objects, StoreError, Table};

/// How many ranges are read at a time.
const READS_AT_ONCE: usize = 16;

/// What came of an answer to a challenge.
#[derive(Debug)]
pub enum Proven {
    /// It was right: there is a file.
    Complete(Box<UploadRow>, Box<NodeRow>),
    /// It was wrong or late, or the blob went meanwhile: the upload is an ordinary one.
    Open(Box<UploadRow>),
}

/// A challenge for an account about a blob.
#[must_use]
pub fn challenge(account: &AccountId, blob: &BlobRow, nonce: Nonce, now: Timestamp) -> StoredChallenge {
    StoredChallenge {
        challenge: Challenge::draw(account, &blob.id, blob.size, nonce, now),
        blob: blob.id.clone(),
    }
}

/// Takes an answer to an upload's challenge. Whatever comes of it, the challenge is over; only a store that does not
/// answer, or others who keep changing the file that is to be replaced, leave it as it is.
///
/// # Errors
/// [`TransitionError::Refused`] when the upload has no challenge that can be answered;
/// [`Conflict::UploadChanged`] when somebody else answered meanwhile; [`Conflict::NameTaken`] or
/// [`Conflict::ParentGone`] when the answer was right, but there is no place for the file: the upload is open then.
pub async fn prove(
    table: &Table,
    objects: &Objects,
    upload: &UploadRow,
    proof: &Proof,
    policy: VersionPolicy,
    now: Timestamp,
) -> Result<Proven, TransitionError> {
    match step(&upload.lifecycle(), UploadEvent::Prove, now) {
        Err(Refusal::NoChallenge) if upload.state == State::ProofRequired => {
            return punish(table, upload, now).await;
        }
        timely => timely?,
    };
    let stored = upload.challenge.as_ref();
    let stored =
        stored.ok_or_else(|| StoreError::corrupt(format!("upload {} lacks its challenge", upload.id)))?;
    let right = match verify(objects, stored, proof).await {
        Ok(right) => right,
        // There is no object, or not as much of it as there should be.
        Err(error) if error.kind == ErrorKind::NotFound => {
            if let Some(blob) = table.blobs().get(&stored.blob).await? {
                let found = objects.look_for(&object_key(&blob.id), &blob.content_id).await?;
                if examine(&blob.life(), blob.size, found) == Some(blob::BlobEvent::Lose) {
                    table.blobs().lose(&blob, now).await?;
                }
            }
            return fail_proof(table, upload, now).await;
        }
        Err(error) => return Err(error.into()),
    };
    if !right {
        return punish(table, upload, now).await;
    }
    match commit_proof(table, upload, stored, policy, now).await {
        Err(error) if error.conflict() == Some(Conflict::BlobGone) => fail_proof(table, upload, now).await,
        Err(TransitionError::Store(StoreError {
            kind: ErrorKind::Conflict(conflict @ (Conflict::NameTaken | Conflict::ParentGone)),
            ..
        })) => {
            fail_proof(table, upload, now).await?;
            Err(StoreError::from(conflict).into())
        }
        outcome => outcome,
    }
}

/// The answer was wrong or late.
async fn punish(table: &Table, upload: &UploadRow, now: Timestamp) -> Result<Proven, TransitionError> {
    // First: a crash in between must not forgive it.
    table
        .throttle()
        .spend(&Allowance::LookUps(&upload.account), FAILURE_COST, u64::MAX, now)
        .await?;
    fail_proof(table, upload, now).await
}

/// Nobody can answer the challenge any more: the upload is an ordinary one.
async fn fail_proof(table: &Table, upload: &UploadRow, now: Timestamp) -> Result<Proven, TransitionError> {
    let open = table
        .uploads()
        .transition(upload, UploadEvent::FailProof, now, |_| (), vec![])
        .await?;
    Ok(Proven::Open(Box::new(open)))
}

async fn commit_proof(
    table: &Table,
    upload: &UploadRow,
    stored: &StoredChallenge,
    policy: VersionPolicy,
    now: Timestamp,
) -> Result<Proven, TransitionError> {
    let content = upload.content_id;
    let content =
        content.ok_or_else(|| StoreError::corrupt(format!("upload {} has no content", upload.id)))?;
    let file = FileContent::of(upload, content, &stored.blob);
    let (complete, node) = commit_file(table, upload, UploadEvent::Prove, &file, None, policy, now).await?;
    Ok(Proven::Complete(Box::new(complete), Box::new(node)))
}

/// Whether `proof` is the answer to a challenge, by the bytes that the primary store has.
async fn verify(objects: &Objects, stored: &StoredChallenge, proof: &Proof) -> Result<bool, StoreError> {
    let key = object_key(&stored.blob);
    let mut prover = stored.challenge.prover();
    let mut pieces = stream::iter(stored.challenge.ranges.clone())
        .map(|range| read(objects, &key, range))
        .buffered(READS_AT_ONCE);
    while let Some(bytes) = pieces.try_next().await? {
        prover.update(&bytes);
    }
    Ok(prover.accepts(proof))
}

async fn read(objects: &Objects, key: &str, range: ByteRange) -> Result<Vec<u8>, StoreError> {
    let bytes = objects
        .read(key, &(range.offset..range.offset + range.length))
        .await?;
    let bytes = bytes
        .collect()
        .await
        .map_err(|error| StoreError::unavailable("GetObject", describe(&error)))?;
    Ok(bytes.to_vec())
}
