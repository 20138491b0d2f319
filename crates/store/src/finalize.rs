//! Parts become a blob and a file.
//!
//! Which step comes after which is [`domain::finalize`]; here they are carried out. In short: take the lease, list the
//! parts with the digests that the store computed, write the ledger, complete the multipart upload unless a blob with
//! this content exists, make the file in one transaction. Then send the replication messages and discard what is not
//! needed: the sweep does it if we cannot.

use crate::accounts::quota;
use crate::blobs;
use crate::config::{Aws, DedupScope, TargetName, target_names};
use crate::error::{Conflict, StoreError};
use crate::objects::{Completion, Objects, StoredPart};
use crate::placing::{Placing, node_of};
use crate::queue::Queue;
use crate::rows::{BlobRow, FileContent, NodeRow, UploadRow, now, object_key};
use crate::table::Table;
use crate::uploads::TransitionError;
use domain::account::QuotaEvent;
use domain::blob::Life;
use domain::content::{ContentId, PartDigest};
use domain::finalize::{Answer, End, Step, Why};
use domain::id::BlobId;
use domain::replica::Message;
use domain::upload::{Event, Refusal, State, Whose};
use jiff::{SignedDuration, Timestamp};
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
    /// With whose files a new file may share its bytes.
    pub scope: DedupScope,
}

/// How a finalize ended.
#[derive(Debug)]
pub enum Outcome {
    /// There is a file, unless it was deleted or replaced since.
    Complete(Box<UploadRow>, Option<Box<NodeRow>>),
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
            scope: DedupScope::from_env()?,
        })
    }

    /// Finalizes an upload, waiting for the store for `patience` at most.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`Conflict::NameTaken`] or [`Conflict::ParentGone`]: the upload is open
    /// again. Anything else: nothing is lost by trying again.
    pub async fn run(&self, upload: &UploadRow, patience: Duration) -> Result<Outcome, StoreError> {
        let mut run = Run {
            finalizer: self,
            upload: upload.clone(),
            patience,
            parts: Vec::new(),
            digests: Vec::new(),
            missing: Vec::new(),
            found: None,
            file: None,
            refused: None,
        };
        let mut step = Step::START;
        loop {
            let answer = match step {
                Step::Lease => run.lease().await?,
                Step::Look => run.look().await?,
                Step::WriteLedger => run.write_ledger().await?,
                Step::FindBlob | Step::FindWinner => run.find_blob().await?,
                Step::Assemble => run.assemble().await?,
                Step::FindObject => run.find_object().await?,
                Step::Share | Step::ShareWinner => run.commit(Whose::Shared).await?,
                Step::Own => run.commit(Whose::Own).await?,
                Step::Reopen(why) => run.reopen(why).await?,
                Step::End(end) => return run.end(end).await,
            };
            step = step
                .after(answer)
                .ok_or_else(|| StoreError::Corrupt(format!("{answer:?} is no answer to {step:?}")))?;
        }
    }
}

/// A finalize on its way.
struct Run<'a> {
    finalizer: &'a Finalizer,
    /// The upload as it was last written.
    upload: UploadRow,
    patience: Duration,
    /// The parts that the store has.
    parts: Vec<StoredPart>,
    /// Their digests, or those of the object's parts.
    digests: Vec<PartDigest>,
    /// What the store lacks.
    missing: Vec<u32>,
    /// The blob that has the content already.
    found: Option<BlobId>,
    /// The file.
    file: Option<NodeRow>,
    /// Why there is no place for it.
    refused: Option<Conflict>,
}

impl Run<'_> {
    async fn lease(&mut self) -> Result<Answer, StoreError> {
        let lease = Event::Lease(self.patience.try_into().unwrap_or(SignedDuration::MAX));
        let table = &self.finalizer.table;
        match table
            .move_upload(&self.upload, lease, now(), |_| (), vec![])
            .await
        {
            Ok(leased) => {
                self.upload = leased;
                Ok(Answer::Done)
            }
            Err(TransitionError::Refused(Refusal::Held(_))) => Ok(Answer::Held),
            Err(
                TransitionError::Refused(_)
                | TransitionError::Store(StoreError::Conflict(Conflict::UploadChanged)),
            ) => Ok(Answer::Changed),
            Err(TransitionError::Store(error)) => Err(error),
        }
    }

    async fn look(&mut self) -> Result<Answer, StoreError> {
        let plan = self.upload.parts()?;
        let answer = match stored(&self.finalizer.table, &self.finalizer.objects, &self.upload).await? {
            Stored::Nothing => {
                self.missing = missing_parts(&plan, &[]);
                return Ok(Answer::Nothing);
            }
            Stored::Parts(parts) => {
                self.missing = missing_parts(&plan, &parts);
                if !self.missing.is_empty() {
                    return Ok(Answer::Missing);
                }
                self.digests = parts.iter().map(|part| part.digest).collect();
                self.parts = parts;
                Answer::Parts
            }
            Stored::Object(digests) => {
                self.digests = digests;
                Answer::Object
            }
        };
        let content = self.content()?;
        let other = self
            .upload
            .content_id
            .is_some_and(|announced| announced != content);
        Ok(if other { Answer::OtherContent } else { answer })
    }

    fn content(&self) -> Result<ContentId, StoreError> {
        ContentId::of_parts(&self.digests)
            .ok_or_else(|| StoreError::Corrupt(format!("upload {} has no parts", self.upload.id)))
    }

    async fn write_ledger(&self) -> Result<Answer, StoreError> {
        match self
            .finalizer
            .table
            .write_ledger(&self.upload, &self.digests)
            .await
        {
            Ok(()) => Ok(Answer::Done),
            Err(StoreError::Conflict(_)) => Ok(Answer::Changed),
            Err(error) => Err(error),
        }
    }

    /// Looks for a blob with this content whose object is there: what was just sent must not be thrown away for one that
    /// is lost.
    async fn find_blob(&mut self) -> Result<Answer, StoreError> {
        let Finalizer {
            table,
            objects,
            scope,
            ..
        } = self.finalizer;
        let content = self.content()?;
        let Some(blob) = table.blob_with(&content, scope.of(&self.upload.account)).await? else {
            return Ok(Answer::NotFound);
        };
        if !objects.has(&object_key(&blob.id), blob.size, &content).await? {
            table.lose_blob(&blob, now()).await?;
            return Ok(Answer::NotFound);
        }
        self.found = Some(blob.id);
        Ok(Answer::Found)
    }

    async fn assemble(&self) -> Result<Answer, StoreError> {
        let (key, content) = (self.upload.object_key(), self.content()?);
        let id = self.upload.multipart_id.as_deref().unwrap_or_default();
        let completed = self.finalizer.objects.complete_multipart(
            &key,
            id,
            &self.parts,
            self.upload.size,
            &content,
            self.patience,
        );
        Ok(match completed.await? {
            Completion::Done => Answer::Done,
            Completion::Unanswered => Answer::Unanswered,
            Completion::PartsChanged => Answer::PartsChanged,
            Completion::NoSuchUpload => Answer::Nothing,
        })
    }

    async fn find_object(&self) -> Result<Answer, StoreError> {
        let (key, content) = (self.upload.object_key(), self.content()?);
        let there = self
            .finalizer
            .objects
            .has(&key, self.upload.size, &content)
            .await?;
        Ok(if there { Answer::Object } else { Answer::Nothing })
    }

    /// The one transaction that makes the file: of the upload's own object, which becomes a blob, or of the blob that was
    /// found.
    async fn commit(&mut self, whose: Whose) -> Result<Answer, StoreError> {
        let (now, content) = (now(), self.content()?);
        let upload = &self.upload;
        let blob = match whose {
            Whose::Own => upload.blob.clone(),
            Whose::Shared => self
                .found
                .clone()
                .ok_or_else(|| StoreError::Corrupt(format!("upload {} shares no blob", upload.id)))?,
        };
        let file = FileContent::of(upload, content, &blob);
        let (table, targets) = (&self.finalizer.table, &self.finalizer.targets);
        let mut placing = Placing::new(node_of(upload, &file, now), upload.on_conflict);
        let error = loop {
            let placed = &placing.placed;
            let mut writes = match whose {
                Whose::Own => blobs::create(&self.new_blob(content, now), targets, now)?,
                Whose::Shared if placed.refers_anew() => vec![blobs::refer(&blob)?],
                Whose::Shared => vec![],
            };
            writes.extend(placed.writes(now)?);
            if placed.replaced.is_some() {
                writes.push(quota(&upload.account, QuotaEvent::Give(placed.given_back()))?);
            }
            let finish = |next: &mut UploadRow| next.became(&placed.node);
            match table
                .move_upload(upload, Event::Commit(whose), now, finish, writes)
                .await
            {
                Ok(complete) => {
                    self.upload = complete;
                    self.file = Some(placing.placed.node);
                    return Ok(Answer::Done);
                }
                Err(error) => {
                    if let Err(error) = placing.again(table, error).await {
                        break error;
                    }
                }
            }
        };
        match error {
            TransitionError::Store(StoreError::Conflict(Conflict::UploadChanged)) => Ok(Answer::Changed),
            TransitionError::Store(StoreError::Conflict(Conflict::ContentExists)) => {
                Ok(Answer::ContentExists)
            }
            TransitionError::Store(StoreError::Conflict(Conflict::BlobGone)) => Ok(Answer::BlobGone),
            TransitionError::Store(StoreError::Conflict(
                conflict @ (Conflict::NameTaken | Conflict::ParentGone),
            )) => {
                self.refused = Some(conflict);
                Ok(Answer::NoPlace)
            }
            error => Err(error.into_store_error()),
        }
    }

    fn new_blob(&self, content_id: ContentId, now: Timestamp) -> BlobRow {
        BlobRow {
            id: self.upload.blob.clone(),
            content_id,
            scope: self.finalizer.scope.of(&self.upload.account).cloned(),
            size: self.upload.size,
            references: Life::NEW.references,
            reclaiming: Life::NEW.reclaiming,
            lost_since: None,
            due_at: None,
            created_at: now,
        }
    }

    async fn reopen(&self, why: Why) -> Result<Answer, StoreError> {
        let reopen = |next: &mut UploadRow| {
            if why == Why::PartsGone {
                next.multipart_id = None;
            }
        };
        let table = &self.finalizer.table;
        match table
            .move_upload(&self.upload, Event::Release, now(), reopen, vec![])
            .await
        {
            Ok(_) => Ok(Answer::Done),
            Err(TransitionError::Store(StoreError::Conflict(_))) => Ok(Answer::Changed),
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn end(self, end: End) -> Result<Outcome, StoreError> {
        let content = self.content();
        match end {
            End::InProgress => Ok(Outcome::InProgress(Box::new(self.upload))),
            End::AsItStands => self.as_it_stands().await,
            End::Complete => {
                self.finalizer.after_commit(&self.upload).await;
                let file = self.file.map(Box::new);
                Ok(Outcome::Complete(Box::new(self.upload), file))
            }
            End::Reopened(Why::PartsGone | Why::PartsMissing) => Ok(Outcome::PartsMissing(self.missing)),
            End::Reopened(Why::PartsChanged) => Ok(Outcome::PartsChanged),
            End::Reopened(Why::OtherContent) => {
                let stored = content?;
                let announced = self.upload.content_id.unwrap_or(stored);
                Ok(Outcome::ContentMismatch { announced, stored })
            }
            End::Reopened(Why::NoPlace) => Err(self.refused.unwrap_or(Conflict::NameTaken).into()),
        }
    }

    /// How the upload stands now that somebody else changed it.
    async fn as_it_stands(&self) -> Result<Outcome, StoreError> {
        let table = &self.finalizer.table;
        let read = table.upload(&self.upload.account, &self.upload.id).await?;
        let Some(row) = read else {
            return Ok(Outcome::Ended(State::Expired));
        };
        match row.state {
            State::Complete => {
                let file = table.file_of(&row).await?;
                Ok(Outcome::Complete(Box::new(row), file.map(Box::new)))
            }
            state if state.is_final() => Ok(Outcome::Ended(state)),
            _ if row.session().has_lapsed(now()) => Ok(Outcome::Ended(State::Expired)),
            _ => Ok(Outcome::InProgress(Box::new(row))),
        }
    }
}

impl Finalizer {
    /// What may fail without harm: the sweep finds what was not done.
    async fn after_commit(&self, upload: &UploadRow) {
        if upload.discard_since.is_some() {
            if let Err(error) = self.table.discard(&self.objects, upload, now()).await {
                tracing::warn!(upload = %upload.id, error = error.for_log(), "left to the sweep: discarding parts");
            }
            return;
        }
        let blob = &upload.blob;
        let start = |target: &TargetName| Message::Start {
            blob: blob.clone(),
            target: target.name.clone(),
        };
        let messages: Vec<_> = self.targets.iter().map(start).collect();
        if let Err(error) = self.queue.send(&messages).await {
            tracing::warn!(%blob, error = error.for_log(), "left to the sweep: starting replication");
        }
        // Whoever began one and died before writing its id down left it here.
        if let Err(error) = self.objects.abort_all_multiparts(&upload.object_key()).await {
            tracing::warn!(%blob, error = error.for_log(), "left to the reconciler: multipart uploads nobody wrote down");
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
