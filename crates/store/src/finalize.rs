//! Parts become a blob and a file.
//!
//! The order of the steps is what makes a crash at any point harmless:
//!
//! 1. take the lease (one finalize at a time);
//! 2. list the parts the store has, with the digests the store computed;
//! 3. write the ledger: from here on the content id is known even when the multipart upload is gone;
//! 4. complete the multipart upload, unless a blob with this content exists;
//! 5. one transaction: blob, replicas, file, upload complete;
//! 6. send the replication messages, discard what is not needed: the sweep does it if we cannot.
//!
//! Whoever comes after a crash begins at 1 again. If the multipart upload is gone by then, the ledger and the
//! object tell that step 4 was done.

use crate::blobs;
use crate::config::{Aws, TargetName, target_names};
use crate::error::{Conflict, StoreError};
use crate::objects::{Completion, Objects, StoredPart};
use crate::queue::Queue;
use crate::rows::{BlobRow, FileContent, NodeRow, UploadRow, now};
use crate::table::{Table, Write};
use crate::uploads::{TransitionError, file_writes, node_of};
use domain::content::{ContentId, PartDigest};
use domain::id::BlobId;
use domain::replica::Message;
use domain::upload::{Event, Refusal, State};
use jiff::SignedDuration;
use std::time::Duration;

/// What a finalize needs.
pub struct Finalizer {
    /// Where it is written down.
    pub table: Table,
    /// Where the bytes are.
    pub objects: Objects,
    /// Where replication begins.
    pub queue: Queue,
    /// Where the blob is replicated to.
    pub targets: Vec<TargetName>,
}

/// How a finalize ended.
#[derive(Debug)]
pub enum Outcome {
    /// There is a file.
    Complete(Box<UploadRow>, Box<NodeRow>),
    /// It goes on, here or elsewhere; ask again.
    InProgress(Box<UploadRow>),
    /// The store lacks these parts, or has them in another size. The upload is open.
    PartsMissing(Vec<u32>),
    /// The stored parts are not what the client announced. The upload is open.
    ContentMismatch {
        /// What the client announced.
        announced: ContentId,
        /// What the store has.
        stored: ContentId,
    },
    /// A part was overwritten while the finalize was at work. The upload is open.
    PartsChanged,
    /// The upload ended without a file.
    Ended(State),
}

/// What the store has of an upload.
#[derive(Debug)]
pub enum Stored {
    /// Nothing: no multipart upload is under way.
    Nothing,
    /// Parts of a multipart upload that is under way.
    Parts(Vec<StoredPart>),
    /// An object, made of parts with these digests.
    Object(Vec<PartDigest>),
}

/// What the store has of an upload that has not ended.
///
/// # Errors
/// [`StoreError`].
pub async fn stored(table: &Table, objects: &Objects, upload: &UploadRow) -> Result<Stored, StoreError> {
    let Some(multipart_id) = &upload.multipart_id else {
        return Ok(Stored::Nothing);
    };
    let key = upload.object_key();
    if let Some(parts) = objects.list_parts(&key, multipart_id).await? {
        return Ok(Stored::Parts(parts));
    }
    let digests = table.ledger(&upload.blob).await?;
    let Some(content_id) = ContentId::of_parts(&digests) else {
        return Ok(Stored::Nothing);
    };
    let there = objects.has(&key, upload.size, &content_id).await?;
    Ok(if there {
        Stored::Object(digests)
    } else {
        Stored::Nothing
    })
}

impl Finalizer {
    /// Everything as the environment names it.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] naming the variable that is missing or malformed.
    pub fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
            objects: Objects::from_env(aws)?,
            queue: Queue::from_env(aws)?,
            targets: target_names()?,
        })
    }

    /// Finalizes an upload, waiting for the store for `patience` at most.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`Conflict::NameTaken`] or [`Conflict::ParentGone`]: the upload is open
    /// again. Anything else: nothing is lost by trying again.
    pub async fn run(&self, upload: &UploadRow, patience: Duration) -> Result<Outcome, StoreError> {
        let lease = Event::Lease(patience.try_into().unwrap_or(SignedDuration::MAX));
        let leased = match self.table.move_upload(upload, lease, now(), |_| (), vec![]).await {
            Ok(leased) => leased,
            Err(
                TransitionError::Refused(Refusal::Ended(_)) | TransitionError::Store(StoreError::Conflict(_)),
            ) => return self.current(upload).await,
            Err(TransitionError::Refused(_)) => return Ok(Outcome::InProgress(Box::new(upload.clone()))),
            Err(TransitionError::Store(error)) => return Err(error),
        };
        let plan = leased.parts()?;
        let (digests, parts) = match stored(&self.table, &self.objects, &leased).await? {
            Stored::Object(digests) => (digests, None),
            Stored::Nothing => {
                let all = missing_parts(&plan, &[]);
                return self.release(&leased, true, Outcome::PartsMissing(all)).await;
            }
            Stored::Parts(parts) => {
                let missing = missing_parts(&plan, &parts);
                if !missing.is_empty() {
                    return self.release(&leased, false, Outcome::PartsMissing(missing)).await;
                }
                (parts.iter().map(|part| part.digest).collect(), Some(parts))
            }
        };
        let stored = ContentId::of_parts(&digests)
            .ok_or_else(|| StoreError::Corrupt(format!("upload {} has no parts", leased.id)))?;
        if let Some(announced) = leased.content_id.filter(|announced| *announced != stored) {
            return self
                .release(&leased, false, Outcome::ContentMismatch { announced, stored })
                .await;
        }
        if let Some(parts) = parts {
            match self.table.write_ledger(&leased, &digests).await {
                Err(StoreError::Conflict(_)) => return self.current(upload).await,
                written => written?,
            }
            if let Some(blob) = self.table.blob_with(&stored).await? {
                match self.commit(&leased, &stored, Some(&blob.id)).await {
                    Err(StoreError::Conflict(Conflict::BlobGone)) => {}
                    outcome => return outcome,
                }
            }
            if let Some(outcome) = self.assemble(&leased, &parts, &stored, patience).await? {
                return Ok(outcome);
            }
        }
        match self.commit(&leased, &stored, None).await {
            // Somebody finished the same content first: the file refers to that blob, ours is discarded.
            Err(StoreError::Conflict(Conflict::ContentExists)) => {
                let Some(blob) = self.table.blob_with(&stored).await? else {
                    return Ok(Outcome::InProgress(Box::new(leased)));
                };
                self.commit(&leased, &stored, Some(&blob.id)).await
            }
            outcome => outcome,
        }
    }

    /// Completes the multipart upload. `None`: the object is there.
    async fn assemble(
        &self,
        upload: &UploadRow,
        parts: &[StoredPart],
        content_id: &ContentId,
        patience: Duration,
    ) -> Result<Option<Outcome>, StoreError> {
        let key = upload.object_key();
        let id = upload.multipart_id.as_deref().unwrap_or_default();
        let completed = self
            .objects
            .complete_multipart(&key, id, parts, upload.size, content_id, patience);
        match completed.await? {
            Completion::Done => Ok(None),
            Completion::Unanswered => Ok(Some(Outcome::InProgress(Box::new(upload.clone())))),
            Completion::PartsChanged => self.release(upload, false, Outcome::PartsChanged).await.map(Some),
            Completion::NoSuchUpload => {
                let there = self.objects.has(&key, upload.size, content_id).await?;
                Ok((!there).then(|| Outcome::InProgress(Box::new(upload.clone()))))
            }
        }
    }

    /// The one transaction that makes the file. `existing`: the blob that has the content already; otherwise
    /// the upload's own object becomes a blob.
    async fn commit(
        &self,
        upload: &UploadRow,
        content_id: &ContentId,
        existing: Option<&BlobId>,
    ) -> Result<Outcome, StoreError> {
        let now = now();
        let blob = existing.unwrap_or(&upload.blob).clone();
        let file = FileContent::of(upload, *content_id, &blob);
        let node = node_of(upload, &file, now);
        let mut writes: Vec<Write> = match existing {
            Some(blob) => vec![blobs::refer(blob)?],
            None => {
                let (id, references) = (blob.clone(), 1);
                let row = BlobRow {
                    id,
                    content_id: *content_id,
                    size: upload.size,
                    references,
                    reclaiming: false,
                    due_at: None,
                    created_at: now,
                };
                blobs::create(&row, &self.targets, now)?
            }
        };
        writes.extend(file_writes(&node, &file)?);
        let finish = |next: &mut UploadRow| {
            next.node = Some(node.id.clone());
            next.discard_since = existing.map(|_| now);
        };
        match self
            .table
            .move_upload(upload, Event::Commit, now, finish, writes)
            .await
        {
            Ok(done) => {
                self.after_commit(&done, &blob, existing.is_some()).await;
                Ok(Outcome::Complete(Box::new(done), Box::new(node)))
            }
            Err(TransitionError::Store(StoreError::Conflict(Conflict::UploadChanged))) => {
                self.current(upload).await
            }
            Err(TransitionError::Store(StoreError::Conflict(
                conflict @ (Conflict::NameTaken | Conflict::ParentGone),
            ))) => {
                self.release(upload, false, Outcome::PartsChanged).await?;
                Err(conflict.into())
            }
            Err(TransitionError::Store(error)) => Err(error),
            Err(TransitionError::Refused(refusal)) => Err(StoreError::Corrupt(refusal.to_string())),
        }
    }

    /// What may fail without harm: the sweep finds what was not done.
    async fn after_commit(&self, upload: &UploadRow, blob: &BlobId, discard: bool) {
        if discard {
            if let Err(error) = self.table.discard(&self.objects, upload, now()).await {
                tracing::warn!(upload = %upload.id, error = error.for_log(), "left to the sweep: discarding parts");
            }
            return;
        }
        let start = |target: &TargetName| Message::Start {
            blob: blob.clone(),
            target: target.name.clone(),
        };
        let messages: Vec<_> = self.targets.iter().map(start).collect();
        if let Err(error) = self.queue.send(&messages).await {
            tracing::warn!(%blob, error = error.for_log(), "left to the sweep: starting replication");
        }
    }

    /// Gives the lease back: the upload is open again. `begin_anew`: there is no multipart upload any more.
    async fn release(
        &self,
        upload: &UploadRow,
        begin_anew: bool,
        outcome: Outcome,
    ) -> Result<Outcome, StoreError> {
        let reopen = |next: &mut UploadRow| {
            if begin_anew {
                next.multipart_id = None;
            }
        };
        match self
            .table
            .move_upload(upload, Event::Release, now(), reopen, vec![])
            .await
        {
            Ok(_) => Ok(outcome),
            Err(TransitionError::Store(error)) => Err(error),
            Err(TransitionError::Refused(refusal)) => Err(StoreError::Corrupt(refusal.to_string())),
        }
    }

    /// How the upload stands now that somebody else changed it.
    async fn current(&self, upload: &UploadRow) -> Result<Outcome, StoreError> {
        let read = self.table.upload(&upload.account, &upload.id).await?;
        let Some(row) = read else {
            return Ok(Outcome::Ended(State::Expired));
        };
        match (row.state, &row.node) {
            (State::Complete, Some(node)) => {
                let node = self.table.node(&row.account, node).await?;
                Ok(node.map_or(Outcome::Ended(State::Complete), |node| {
                    Outcome::Complete(Box::new(row), Box::new(node))
                }))
            }
            (state, _) if state.is_final() => Ok(Outcome::Ended(state)),
            _ => Ok(Outcome::InProgress(Box::new(row))),
        }
    }
}

/// The numbers of the parts that the store lacks, or has in another size.
#[must_use]
pub fn missing_parts(plan: &domain::content::PartPlan, parts: &[StoredPart]) -> Vec<u32> {
    let mut have = parts
        .iter()
        .filter(|part| plan.part_length(part.number) == Some(part.size))
        .peekable();
    (1..=plan.part_count())
        .filter(|number| have.next_if(|part| part.number == *number).is_none())
        .collect()
}

/// The received parts of an upload as a client sees them: number, length, digest. Where the store has lost the
/// multipart upload (a lifecycle rule), this lets the next part begin a new one.
///
/// # Errors
/// [`StoreError`].
pub async fn received(
    table: &Table,
    objects: &Objects,
    upload: &UploadRow,
) -> Result<Vec<(u32, u64, PartDigest)>, StoreError> {
    Ok(match stored(table, objects, upload).await? {
        Stored::Nothing => {
            if upload.multipart_id.is_some() && upload.state == State::Open {
                table.forget_upload_multipart(upload).await?;
            }
            Vec::new()
        }
        Stored::Parts(parts) => parts
            .into_iter()
            .map(|part| (part.number, part.size, part.digest))
            .collect(),
        Stored::Object(digests) => {
            let plan = upload.parts()?;
            let length = |number| plan.part_length(number).unwrap_or_default();
            (1u32..)
                .zip(digests)
                .map(|(number, digest)| (number, length(number), digest))
                .collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::content::PartPlan;

    fn part(number: u32, size: u64) -> StoredPart {
        StoredPart {
            number,
            size,
            digest: PartDigest::of(b""),
            etag: String::new(),
        }
    }

    #[test]
    fn parts_of_another_size_are_missing() {
        let plan = PartPlan::for_size(3 * 8 * 1024 * 1024 + 1).unwrap();
        let full = plan.part_size();
        assert_eq!(missing_parts(&plan, &[]), [1, 2, 3, 4]);
        assert_eq!(
            missing_parts(&plan, &[part(1, full), part(3, full), part(4, 2)]),
            [2, 4]
        );
        let all = [part(1, full), part(2, full), part(3, full), part(4, 1)];
        assert!(missing_parts(&plan, &all).is_empty());
    }

    #[test]
    fn an_empty_file_needs_its_empty_part() {
        let plan = PartPlan::for_size(0).unwrap();
        assert_eq!(missing_parts(&plan, &[]), [1]);
        assert!(missing_parts(&plan, &[part(1, 0)]).is_empty());
    }
}
