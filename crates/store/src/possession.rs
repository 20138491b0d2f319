//! Challenges: who shows that he has the bytes of a blob gets a file of it without sending them.

use crate::error::{Conflict, ErrorKind, StoreError, describe};
use crate::objects::Objects;
use crate::rows::{Allowance, BlobRow, FileContent, NodeRow, StoredChallenge, UploadRow, object_key};
use crate::table::Table;
use crate::uploads::TransitionError;
use domain::blob;
use domain::id::AccountId;
use domain::possession::{ByteRange, Challenge, FAILURE_COST, Nonce, Proof};
use domain::reconcile::examine;
use domain::upload::{Event, Refusal, State, step};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

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
pub fn challenge(account: &AccountId, blob: &BlobRow, now: Timestamp) -> StoredChallenge {
    let nonce = Nonce::from_bytes(rand::random());
    StoredChallenge {
        challenge: Challenge::draw(account, &blob.id, blob.size, nonce, now),
        blob: blob.id.clone(),
    }
}

impl Table {
    /// Takes an answer to an upload's challenge. Whatever comes of it, the challenge is over; only a store that does not
    /// answer, or others who keep changing the file that is to be replaced, leave it as it is.
    ///
    /// # Errors
    /// [`TransitionError::Refused`] when the upload has no challenge that can be answered;
    /// [`Conflict::UploadChanged`] when somebody else answered meanwhile; [`Conflict::NameTaken`] or
    /// [`Conflict::ParentGone`] when the answer was right, but there is no place for the file: the upload is open then.
    pub async fn prove(
        &self,
        objects: &Objects,
        upload: &UploadRow,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Proven, TransitionError> {
        match step(&upload.session(), Event::Prove, now) {
            Err(Refusal::NoChallenge) if upload.state == State::ProofRequired => {
                return self.punish(upload, now).await;
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
                if let Some(blob) = self.blob(&stored.blob).await? {
                    let found = objects.look_for(&object_key(&blob.id), &blob.content_id).await?;
                    if examine(&blob.life(), blob.size, found) == Some(blob::Event::Lose) {
                        self.lose_blob(&blob, now).await?;
                    }
                }
                return self.fail_proof(upload, now).await;
            }
            Err(error) => return Err(error.into()),
        };
        if !right {
            return self.punish(upload, now).await;
        }
        match self.commit_proof(upload, stored, now).await {
            Err(error) if error.conflict() == Some(Conflict::BlobGone) => self.fail_proof(upload, now).await,
            Err(TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(conflict @ (Conflict::NameTaken | Conflict::ParentGone)),
                ..
            })) => {
                self.fail_proof(upload, now).await?;
                Err(StoreError::from(conflict).into())
            }
            outcome => outcome,
        }
    }

    /// The answer was wrong or late.
    async fn punish(&self, upload: &UploadRow, now: Timestamp) -> Result<Proven, TransitionError> {
        // First: a crash in between must not forgive it.
        self.spend(&Allowance::LookUps(&upload.account), FAILURE_COST, u64::MAX, now)
            .await?;
        self.fail_proof(upload, now).await
    }

    /// Nobody can answer the challenge any more: the upload is an ordinary one.
    async fn fail_proof(&self, upload: &UploadRow, now: Timestamp) -> Result<Proven, TransitionError> {
        let open = self
            .move_upload(upload, Event::FailProof, now, |_| (), vec![])
            .await?;
        Ok(Proven::Open(Box::new(open)))
    }

    async fn commit_proof(
        &self,
        upload: &UploadRow,
        stored: &StoredChallenge,
        now: Timestamp,
    ) -> Result<Proven, TransitionError> {
        let content = upload.content_id;
        let content =
            content.ok_or_else(|| StoreError::corrupt(format!("upload {} has no content", upload.id)))?;
        let file = FileContent::of(upload, content, &stored.blob);
        let (complete, node) = self.make_file(upload, Event::Prove, &file, None, now).await?;
        Ok(Proven::Complete(Box::new(complete), Box::new(node)))
    }
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
