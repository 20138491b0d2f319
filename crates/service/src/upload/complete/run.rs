//! One finalize on its way: each step of [`domain::finalize`] carried out, and answered.

use super::finalizer::Finalizer;
use super::outcome::Outcome;
use crate::file::commit::commit_file;
use crate::upload::stored::{Stored, missing_parts, stored};
use domain::blob::Life;
use domain::content::{ContentId, PartDigest};
use domain::finalize::{Answer, End, Step, Why};
use domain::id::BlobId;
use domain::placement::Destination;
use domain::upload::{Event, Refusal, State, Whose, step};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::objects::{Completion, StoredPart};
use store::rows::{BlobRow, FileContent, NodeRow, UploadRow, now, object_key};
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, StoreError};

/// A finalize on its way.
pub(super) struct Run<'a> {
    finalizer: &'a Finalizer,
    /// The upload as it was last written.
    upload: UploadRow,
    /// Where its file shall go instead.
    destination: &'a Destination,
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
        patience: Duration,
    ) -> Self {
        Self {
            finalizer,
            upload: upload.clone(),
            destination,
            patience,
            parts: Vec::new(),
            digests: Vec::new(),
            missing: Vec::new(),
            found: None,
            file: None,
            targets: Vec::new(),
            refused: None,
        }
    }

    pub(super) async fn carry_out(mut self) -> Result<Outcome, StoreError> {
        let mut next = Step::START;
        loop {
            let answer = match next {
                Step::Lease => self.lease().await?,
                Step::Look => self.look().await?,
                Step::WriteLedger => self.write_ledger().await?,
                Step::FindBlob | Step::FindWinner => self.find_blob().await?,
                Step::Assemble => self.assemble().await?,
                Step::FindObject => self.find_object().await?,
                Step::Share | Step::ShareWinner => self.commit(Whose::Shared).await?,
                Step::Own => self.commit(Whose::Own).await?,
                Step::Reopen(why) => self.reopen(why).await?,
                Step::End(end) => return self.end(end).await,
            };
            next = next
                .after(answer)
                .ok_or_else(|| StoreError::corrupt(format!("{answer:?} is no answer to {next:?}")))?;
        }
    }

    async fn lease(&mut self) -> Result<Answer, StoreError> {
        let patience = self.patience.try_into().unwrap_or(SignedDuration::MAX);
        // A fraction of a millisecond that is ours alone, to know our lease by.
        let mark = SignedDuration::from_nanos(rand::random_range(0..1_000_000));
        let (lease, now) = (Event::Lease(patience.saturating_add(mark)), now());
        let table = &self.finalizer.table;
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
                Ok(Answer::Done)
            }
            // A write whose answer got lost is sent again, and then refused because of itself.
            Err(error) if error.conflict() == Some(Conflict::UploadChanged) => {
                let wanted = step(&self.upload.session(), lease, now).map(|(session, _)| session.lease_until);
                let row = table.uploads().get(&self.upload.account, &self.upload.id).await?;
                let mine = |row: &UploadRow| row.state == State::Finalizing && Ok(row.lease_until) == wanted;
                match row.filter(mine) {
                    Some(row) => {
                        self.upload = row;
                        Ok(Answer::Done)
                    }
                    None => Ok(Answer::Changed),
                }
            }
            Err(TransitionError::Refused(Refusal::Held(_))) => Ok(Answer::Held),
            Err(TransitionError::Refused(_)) => Ok(Answer::Changed),
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
            .ok_or_else(|| StoreError::corrupt(format!("upload {} has no parts", self.upload.id)))
    }

    async fn write_ledger(&self) -> Result<Answer, StoreError> {
        match self
            .finalizer
            .table
            .blobs()
            .write_ledger(&self.upload, &self.digests)
            .await
        {
            Ok(()) => Ok(Answer::Done),
            Err(error) if error.is_conflict() => Ok(Answer::Changed),
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
        let Some(blob) = table
            .blobs()
            .with_content(&content, scope.of(&self.upload.account))
            .await?
        else {
            return Ok(Answer::NotFound);
        };
        let found = objects.look_for(&object_key(&blob.id), &content).await?;
        if !found.is_certain(blob.size) {
            // What was just sent is certain: what is not gives way, even where the reconciler would leave it alone.
            table.blobs().lose(&blob, now()).await?;
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
                .ok_or_else(|| StoreError::corrupt(format!("upload {} shares no blob", upload.id)))?,
        };
        let file = FileContent::of(upload, content, &blob);
        let table = &self.finalizer.table;
        let new = (whose == Whose::Own).then(|| self.new_blob(content, now));
        let targets = if new.is_some() {
            let roster = table.targets().recent_roster().await?;
            table
                .targets()
                .of_file(&roster, &upload.account, upload.parent.as_ref())
                .await?
        } else {
            Vec::new()
        };
        let new = new.as_ref().map(|blob| (blob, &targets[..]));
        let error = match commit_file(table, upload, Event::Commit(whose), &file, new, now).await {
            Ok((complete, node)) => {
                self.upload = complete;
                self.file = Some(node);
                self.targets = targets.into_iter().map(|member| member.name).collect();
                return Ok(Answer::Done);
            }
            Err(TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(conflict),
                ..
            })) => conflict,
            Err(error) => return Err(error.into_store_error()),
        };
        match error {
            Conflict::UploadChanged => Ok(Answer::Changed),
            Conflict::ContentExists => Ok(Answer::ContentExists),
            Conflict::BlobGone => Ok(Answer::BlobGone),
            Conflict::NameTaken | Conflict::ParentGone => {
                self.refused = Some(error);
                Ok(Answer::NoPlace)
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

    async fn reopen(&self, why: Why) -> Result<Answer, StoreError> {
        let reopen = |next: &mut UploadRow| {
            if why == Why::PartsGone {
                next.multipart_id = None;
            }
        };
        let table = &self.finalizer.table;
        match table
            .uploads()
            .transition(&self.upload, Event::Release, now(), reopen, vec![])
            .await
        {
            Ok(_) => Ok(Answer::Done),
            Err(error) if error.conflict().is_some() => Ok(Answer::Changed),
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn end(self, end: End) -> Result<Outcome, StoreError> {
        let content = self.content();
        match end {
            End::InProgress => self.in_progress(self.upload.clone()),
            End::AsItStands => self.as_it_stands().await,
            End::Complete => {
                let (upload, file) = (&self.upload, self.file.as_ref());
                self.finalizer.after_commit(upload, file, &self.targets).await;
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
        let read = table.uploads().get(&self.upload.account, &self.upload.id).await?;
        let Some(row) = read else {
            return Ok(Outcome::Ended(State::Expired));
        };
        match row.state {
            State::Complete => {
                let file = table.uploads().file_of(&row).await?;
                Ok(Outcome::Complete(Box::new(row), file.map(Box::new)))
            }
            state if state.is_final() => Ok(Outcome::Ended(state)),
            _ if row.session().has_lapsed(now()) => Ok(Outcome::Ended(State::Expired)),
            _ => self.in_progress(row),
        }
    }

    /// Somebody else is at it. What was asked for here besides must not be forgotten silently.
    fn in_progress(&self, row: UploadRow) -> Result<Outcome, StoreError> {
        if row.clone().redirect(self.destination) {
            return Err(Conflict::UploadChanged.into());
        }
        Ok(Outcome::InProgress(Box::new(row)))
    }
}
