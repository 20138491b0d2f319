//! Parts become a blob and a file.
//!
//! Which step comes after which is [`domain::finalize`]; `run` carries them out. In short: take the lease, list the
//! parts with the digests that the store computed, write the ledger, complete the multipart upload unless a blob with
//! this content exists, make the file in one transaction. Then send the replication messages and discard what is not
//! needed: the sweep does it if we cannot.

mod run;

use crate::config::{Aws, DedupScope};
use crate::error::StoreError;
use crate::objects::{Objects, StoredPart};
use crate::queue::StartQueue;
use crate::rows::{NodeRow, UploadRow, now};
use crate::table::Table;
use domain::content::{ContentId, PartDigest};
use domain::placement::Destination;
use domain::upload::State;
use run::Run;
use std::time::Duration;

/// What a finalize needs.
pub struct Finalizer {
    /// Where it is written down.
    pub table: Table,
    /// Where the bytes are.
    pub objects: Objects,
    /// Where replication begins.
    pub queue: StartQueue,
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
    /// `ErrorKind::Misconfigured` naming the variable that is missing or malformed.
    pub fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
            objects: Objects::from_env(aws)?,
            queue: StartQueue::from_env(aws)?,
            scope: DedupScope::from_env()?,
        })
    }

    /// Finalizes an upload, waiting for the store for `patience` at most.
    ///
    /// # Errors
    /// [`NameTaken`](crate::Conflict::NameTaken) or [`ParentGone`](crate::Conflict::ParentGone): the upload is open
    /// again. Anything else: nothing is lost by trying again.
    pub async fn run(&self, upload: &UploadRow, patience: Duration) -> Result<Outcome, StoreError> {
        self.run_to(upload, &Destination::default(), patience).await
    }

    /// The same, with the file going somewhere else than the upload says. That is written down with the lease, so that whoever
    /// takes over knows it.
    ///
    /// # Errors
    /// The same; [`UploadChanged`](crate::Conflict::UploadChanged) when somebody else finalizes the upload, and takes the file
    /// to another place.
    pub async fn run_to(
        &self,
        upload: &UploadRow,
        destination: &Destination,
        patience: Duration,
    ) -> Result<Outcome, StoreError> {
        Run::new(self, upload, destination, patience).carry_out().await
    }

    /// What may fail without harm: the sweep finds what was not done.
    async fn after_commit(&self, upload: &UploadRow, file: Option<&NodeRow>, targets: &[String]) {
        if upload.discard_since.is_some() {
            if let Some((node, file)) = file.and_then(|node| Some((node, node.file.as_ref()?))) {
                let (account, parent) = (&node.account, node.parent.as_ref());
                self.table.cover(&self.queue, account, parent, &file.blob).await;
            }
            if let Err(error) = self.table.discard(&self.objects, upload, now()).await {
                tracing::warn!(upload = %upload.id, error = error.for_log(), "left to the sweep: discarding parts");
            }
            return;
        }
        let blob = &upload.blob;
        if let Err(error) = self.queue.start(blob, targets).await {
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
            if upload.multipart_id.is_some() {
                table.forget_upload_multipart(upload, now()).await?;
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
