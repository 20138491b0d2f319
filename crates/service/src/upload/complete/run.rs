//! One finalize on its way: each step of [`domain::finalize`] carried out, and answered.

use super::finalizer::Finalizer;
use super::outcome::FinalizeResult;
use crate::file::commit::commit_file;
use crate::upload::stored::{Stored, missing_parts, stored};
use domain::blob::Life;
use domain::content::{ContentId, PartDigest};
use domain::finalize::{End, ReopenReason, Step, StepResult};
use domain::id::BlobId;
use domain::placement::Destination;
use domain::upload::{ContentSource, Refusal, State, UploadEvent, step};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::objects::{Completion, StoredPart};
use store::rows::{BlobRow, FileContent, NodeRow, UploadRow, object_key};
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, StoreError};

/// A finalize on its way.
pub(super) struct Run<'a> {
    finalizer: &'a Finalizer,
    /// The upload as it was last written.
    upload: UploadRow,
    /// Where its file shall go instead.
    destination: &'a Destination,
    timeout: Duration,
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
    /// The targets that its new blob has replicas at.
    targets: Vec<String>,
    /// Why there is no place for it.
    refused: Option<Conflict>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        finalizer: &'a Finalizer,
        upload: &UploadRow,
        destination: &'a Destination,
        timeout: Duration,
    ) -> Self {
        Self {
            finalizer,
            upload: upload.clone(),
            destination,
            timeout,
            parts: Vec::new(),
            digests: Vec::new(),
            missing: Vec::new(),
            found: None,
            file: None,
            targets: Vec::new(),
            refused: None,
        }
    }

    pub(super) async fn carry_out(mut self) -> Result<FinalizeResult, StoreError> {
        let mut next = Step::START;
        loop {
            let answer = match next {
                Step::Lease => self.lease().await?,
                Step::ListParts => self.list_parts().await?,
                Step::WritePartDigests => self.write_part_digests().await?,
                Step::FindBlob | Step::FindWinner => self.find_blob().await?,
                Step::Assemble => self.assemble().await?,
                Step::FindObject => self.find_object().await?,
                Step::Share | Step::ShareWinner => self.commit(ContentSource::Shared).await?,
                Step::Own => self.commit(ContentSource::Own).await?,
                Step::Reopen(why) => self.reopen(why).await?,
                Step::End(end) => return self.end(end).await,
            };
            next = next
                .after(answer)
                .ok_or_else(|| fault(format!("{answer:?} is no answer to {next:?}")))?;
        }
    }

    async fn lease(&mut self) -> Result<StepResult, StoreError> {
        let timeout = self.timeout.try_into().unwrap_or(SignedDuration::MAX);
        // A fraction of a millisecond that is ours alone, to know our lease by.
        let mark = SignedDuration::from_nanos(self.finalizer.table.rng.within(0..1_000_000));
        let table = &self.finalizer.table;
        let (lease, now) = (UploadEvent::Lease(timeout.saturating_add(mark)), table.now());
        let redirect = |next: &mut UploadRow| {
            next.redirect(self.destination);
        };
        match table
            .uploads()
            .transition(&self.upload, lease, now, redirect, vec![])
            .await
        {
            Ok(leased) => {
                self.upload = leased;
                Ok(StepResult::Done)
            }
            // A write whose answer got lost is sent again, and then refused because of itself.
            Err(error) if error.conflict() == Some(Conflict::UploadChanged) => {
                let wanted =
                    step(&self.upload.lifecycle(), lease, now).map(|(lifecycle, _)| lifecycle.lease_until);
                let row = table.uploads().get(&self.upload.account, &self.upload.id).await?;
                let mine = |row: &UploadRow| row.state == State::Finalizing && Ok(row.lease_until) == wanted;
                match row.filter(mine) {
                    Some(row) => {
                        self.upload = row;
                        Ok(StepResult::Done)
                    }
                    None => Ok(StepResult::Changed),
                }
            }
            Err(TransitionError::Refused(Refusal::Held(_))) => Ok(StepResult::Held),
            Err(TransitionError::Refused(_)) => Ok(StepResult::Changed),
            Err(TransitionError::Store(error)) => Err(error),
        }
    }

    async fn list_parts(&mut self) -> Result<StepResult, StoreError> {
        let plan = self.upload.parts()?;
        let answer = match stored(&self.finalizer.table, &self.finalizer.objects, &self.upload).await? {
            Stored::Nothing => {
                self.missing = missing_parts(&plan, &[]);
                return Ok(StepResult::Nothing);
            }
            Stored::Parts(parts) => {
                self.missing = missing_parts(&plan, &parts);
                if !self.missing.is_empty() {
                    return Ok(StepResult::Missing);
                }
                self.digests = parts.iter().map(|part| part.digest).collect();
                self.parts = parts;
                StepResult::Parts
            }
            Stored::Object(digests) => {
                self.digests = digests;
                StepResult::Object
            }
        };
        let content = self.content()?;
        let other = self
            .upload
            .content_id
            .is_some_and(|announced| announced != content);
        Ok(if other { StepResult::OtherContent } else { answer })
    }

    fn content(&self) -> Result<ContentId, StoreError> {
        ContentId::of_parts(&self.digests)
            .ok_or_else(|| fault(format!("the parts of upload {} were not listed", self.upload.id)))
    }

    async fn write_part_digests(&self) -> Result<StepResult, StoreError> {
        match self
            .finalizer
            .table
            .blobs()
            .write_part_digests(&self.upload, &self.digests)
            .await
        {
            Ok(()) => Ok(StepResult::Done),
            Err(error) if error.is_conflict() => Ok(StepResult::Changed),
            Err(error) => Err(error),
        }
    }

    /// Looks for a blob with this content whose object is there: what was just sent must not be thrown away for one that
    /// is lost.
    async fn find_blob(&mut self) -> Result<StepResult, StoreError> {
        let Finalizer {
            table,
            objects,
            scope,
            ..
        } = self.finalizer;
        let content = self.content()?;
        let Some(blob) = table
            .blobs()
            .with_content(&content, scope.of(&self.upload.account))
            .await?
        else {
            return Ok(StepResult::NotFound);
        };
        let found = objects.look_for(&object_key(&blob.id), &content).await?;
        if !found.is_certain(blob.size) {
            // What was just sent is certain: what is not gives way, even where the reconciler would leave it alone.
            table.blobs().lose(&blob, table.now()).await?;
            return Ok(StepResult::NotFound);
        }
        self.found = Some(blob.id);
        Ok(StepResult::Found)
    }

    async fn assemble(&self) -> Result<StepResult, StoreError> {
        let (key, content) = (self.upload.object_key(), self.content()?);
        let id = self.upload.multipart_id.as_deref().unwrap_or_default();
        let completed = self.finalizer.objects.complete_multipart(
            &key,
            id,
            &self.parts,
            self.upload.size,
            &content,
            self.timeout,
        );
        Ok(match completed.await? {
            Completion::Done => StepResult::Done,
            Completion::Unanswered => StepResult::Unanswered,
            Completion::PartsChanged => StepResult::PartsChanged,
            Completion::NoSuchUpload => StepResult::Nothing,
        })
    }

    async fn find_object(&self) -> Result<StepResult, StoreError> {
        let (key, content) = (self.upload.object_key(), self.content()?);
        let there = self
            .finalizer
            .objects
            .has(&key, self.upload.size, &content)
            .await?;
        Ok(if there {
            StepResult::Object
        } else {
            StepResult::Nothing
        })
    }

    /// The one transaction that makes the file: of the upload's own object, which becomes a blob, or of the blob that was
    /// found.
    async fn commit(&mut self, whose: ContentSource) -> Result<StepResult, StoreError> {
        let table = &self.finalizer.table;
        let (now, content) = (table.now(), self.content()?);
        let upload = &self.upload;
        let blob = match whose {
            ContentSource::Own => upload.blob.clone(),
            ContentSource::Shared => self
                .found
                .clone()
                .ok_or_else(|| fault(format!("upload {} shares no blob", upload.id)))?,
        };
        let file = FileContent::of(upload, content, &blob);
        let new = (whose == ContentSource::Own).then(|| self.new_blob(content, now));
        let targets = if new.is_some() {
            self.finalizer.abort_other_multiparts(upload).await;
            let target_registry = table.targets().recent_target_registry().await?;
            table
                .targets()
                .of_file(&target_registry, &upload.account, upload.parent.as_ref())
                .await?
        } else {
            Vec::new()
        };
        let new = new.as_ref().map(|blob| (blob, &targets[..]));
        let (event, policy) = (UploadEvent::Commit(whose), self.finalizer.versions);
        let error = match commit_file(table, upload, event, &file, new, policy, now).await {
            Ok((complete, node)) => {
                self.upload = complete;
                self.file = Some(node);
                self.targets = targets.into_iter().map(|member| member.name).collect();
                return Ok(StepResult::Done);
            }
            Err(TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(conflict),
                ..
            })) => conflict,
            Err(error) => return Err(error.into_store_error()),
        };
        match error {
            Conflict::UploadChanged => Ok(StepResult::Changed),
            Conflict::ContentExists => Ok(StepResult::ContentExists),
            Conflict::BlobGone => Ok(StepResult::BlobGone),
            Conflict::NameTaken | Conflict::ParentGone => {
                self.refused = Some(error);
                Ok(StepResult::NoPlacement)
            }
            other => Err(other.into()),
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

    async fn reopen(&self, why: ReopenReason) -> Result<StepResult, StoreError> {
        let reopen = |next: &mut UploadRow| {
            if why == ReopenReason::PartsGone {
                next.multipart_id = None;
            }
        };
        let table = &self.finalizer.table;
        match table
            .uploads()
            .transition(&self.upload, UploadEvent::Release, table.now(), reopen, vec![])
            .await
        {
            Ok(_) => Ok(StepResult::Done),
            Err(error) if error.conflict().is_some() => Ok(StepResult::Changed),
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn end(self, end: End) -> Result<FinalizeResult, StoreError> {
        let content = self.content();
        match end {
            End::InProgress => self.in_progress(self.upload.clone()),
            End::ReRead => self.as_it_stands().await,
            End::Complete => {
                let (upload, file) = (&self.upload, self.file.as_ref());
                self.finalizer.after_commit(upload, file, &self.targets).await;
                let file = self.file.map(Box::new);
                Ok(FinalizeResult::Complete(Box::new(self.upload), file))
            }
            End::Reopened(ReopenReason::PartsGone | ReopenReason::PartsMissing) => {
                Ok(FinalizeResult::PartsMissing(self.missing))
            }
            End::Reopened(ReopenReason::PartsChanged) => Ok(FinalizeResult::PartsChanged),
            End::Reopened(ReopenReason::OtherContent) => {
                let stored = content?;
                let announced = self.upload.content_id.unwrap_or(stored);
                Ok(FinalizeResult::ContentMismatch { announced, stored })
            }
            End::Reopened(ReopenReason::NoPlacement) => {
                Err(self.refused.unwrap_or(Conflict::NameTaken).into())
            }
        }
    }

    /// How the upload stands now that somebody else changed it.
    async fn as_it_stands(&self) -> Result<FinalizeResult, StoreError> {
        let table = &self.finalizer.table;
        let read = table.uploads().get(&self.upload.account, &self.upload.id).await?;
        let Some(row) = read else {
            return Ok(FinalizeResult::Ended(State::Expired));
        };
        match row.state {
            State::Complete => {
                let file = table.uploads().file_of(&row).await?;
                Ok(FinalizeResult::Complete(Box::new(row), file.map(Box::new)))
            }
            state if state.is_final() => Ok(FinalizeResult::Ended(state)),
            _ if row.lifecycle().has_lapsed(table.now()) => Ok(FinalizeResult::Ended(State::Expired)),
            _ => self.in_progress(row),
        }
    }

    /// Somebody else is at it. What was asked for here besides must not be forgotten silently.
    fn in_progress(&self, row: UploadRow) -> Result<FinalizeResult, StoreError> {
        if row.clone().redirect(self.destination) {
            return Err(Conflict::UploadChanged.into());
        }
        Ok(FinalizeResult::InProgress(Box::new(row)))
    }
}

/// The steps do not fit together.
fn fault(what: String) -> StoreError {
    StoreError::internal("finalizing", what)
}
