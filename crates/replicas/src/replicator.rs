//! What is done with each message of the replication queue.
//!
//! Every step begins by reading what is written down and does what [`domain::replica::next`] says. So any
//! message may be lost, repeated, late or out of order, and any step may crash.

use crate::ceph::{CephTarget, multipart_etag};
use crate::config::Targets;
use crate::error::ReplicaError;
use bytes::Bytes;
use domain::content::PartDigest;
use domain::replica::{Message, Next, SegmentPlan, State, next};
use futures::{StreamExt, TryStreamExt};
use md5::{Digest, Md5};
use std::collections::HashMap;
use std::sync::Arc;
use store::rows::{BlobRow, LedgerRow, ReplicaRow, SegmentRow, now, object_key};
use store::{Conflict, Objects, Queue, StoreError, Table};
use tokio::sync::Semaphore;

/// How many parts a worker streams at a time, over all its messages.
const STREAMS: usize = 4;
/// How often a part is tried before the whole message is.
const PART_ATTEMPTS: u32 = 3;

/// Copies blobs to targets.
pub struct Replicator {
    /// What is written down.
    pub table: Table,
    /// The primary store.
    pub objects: Objects,
    /// Where further messages go.
    pub queue: Queue,
    /// Where copies go.
    pub targets: Arc<Targets>,
    streams: Semaphore,
}

/// One replica and all that is needed to work on it.
struct Job<'a> {
    blob: BlobRow,
    replica: ReplicaRow,
    target: &'a CephTarget,
    key: String,
}

impl Replicator {
    /// A worker.
    #[must_use]
    pub fn new(table: Table, objects: Objects, queue: Queue, targets: Arc<Targets>) -> Self {
        Self {
            table,
            objects,
            queue,
            targets,
            streams: Semaphore::new(STREAMS),
        }
    }

    /// Does what a message says, as far as it has not been done.
    ///
    /// # Errors
    /// [`ReplicaError`]: the message should come again later.
    pub async fn handle(&self, message: &Message) -> Result<(), ReplicaError> {
        let (blob, target) = message.subject();
        let Some(blob) = self.table.blob(blob).await?.filter(|blob| !blob.reclaiming) else {
            return Ok(());
        };
        let replica = self.table.replica(&blob.id, target).await?;
        let Some(replica) = replica.filter(|replica| replica.state != State::Available) else {
            return Ok(());
        };
        let target = self.targets.get(target)?;
        let job = Job {
            key: target.key(&blob.id),
            blob,
            replica,
            target,
        };
        let done = match message {
            Message::Copy { segment, .. } if job.replica.multipart_id.is_some() => {
                self.copy_segment(&job, *segment).await
            }
            _ => self.advance(&job).await,
        };
        match done {
            Err(error) if error.multipart_is_gone() => self.begin_anew(&job).await,
            done => done,
        }
    }

    /// Does what comes next.
    async fn advance(&self, job: &Job<'_>) -> Result<(), ReplicaError> {
        let segments = self.table.segments(&job.replica).await?;
        let recorded: Vec<u32> = segments.iter().map(|segment| segment.segment).collect();
        let begun = job.replica.multipart_id.is_some();
        match next(job.replica.state, &job.blob.parts()?, begun, &recorded) {
            Next::Nothing => Ok(()),
            Next::PutWhole => self.put_whole(job).await,
            Next::BeginMultipart => {
                self.begin_multipart(job).await?;
                let count = SegmentPlan::of(&job.blob.parts()?).segment_count();
                self.send_copies(job, 0..count).await
            }
            Next::Copy(missing) => self.send_copies(job, missing).await,
            Next::Finish => self.finish(job, segments).await,
        }
    }

    async fn send_copies(
        &self,
        job: &Job<'_>,
        segments: impl IntoIterator<Item = u32>,
    ) -> Result<(), ReplicaError> {
        let (blob, target) = (&job.blob.id, &job.replica.target);
        let copy = |segment| Message::Copy {
            blob: blob.clone(),
            target: target.clone(),
            segment,
        };
        let messages: Vec<_> = segments.into_iter().map(copy).collect();
        Ok(self.queue.send(&messages).await?)
    }

    /// A blob of one part, at most 8 MiB: in memory.
    async fn put_whole(&self, job: &Job<'_>) -> Result<(), ReplicaError> {
        let expected = self.table.ledger_page(&job.blob.id, 0).await?.first().copied();
        let _stream = self.streams.acquire().await;
        let source = self
            .objects
            .read(&object_key(&job.blob.id), &(0..job.blob.size))
            .await?;
        let bytes: Bytes = source.collect().await.map_err(|e| unreadable(&e))?.into_bytes();
        if expected != Some(PartDigest::of(&bytes)) {
            return Err(ReplicaError::SourceCorrupt { part: 1 });
        }
        let etag = crate::ceph::hex(Md5::digest(&bytes).into());
        job.target.put(&job.key, bytes).await?;
        self.verify(job, &etag).await
    }

    /// Begins a multipart upload at the target, unless another worker did.
    async fn begin_multipart(&self, job: &Job<'_>) -> Result<(), ReplicaError> {
        let id = job.target.begin_multipart(&job.key).await?;
        match self.table.begin_copying(&job.replica, &id, &job.key, now()).await {
            Err(StoreError::Conflict(_)) => {
                // A write whose answer got lost is sent again, and then refused because of itself.
                let replica = self.table.replica(&job.blob.id, &job.replica.target).await?;
                if replica.is_some_and(|replica| replica.multipart_id.as_ref() == Some(&id)) {
                    return Ok(());
                }
                job.target.abort_multipart(&job.key, &id).await
            }
            written => Ok(written?),
        }
    }

    /// Streams the parts of a segment and records them, once.
    async fn copy_segment(&self, job: &Job<'_>, segment: u32) -> Result<(), ReplicaError> {
        let plan = job.blob.parts()?;
        let segments = SegmentPlan::of(&plan);
        let Some(parts) = segments.parts(segment) else {
            tracing::warn!(blob = %job.blob.id, segment, "there is no such segment");
            return Ok(());
        };
        if !self.table.has_segment(&job.replica, segment).await? {
            let digests = self.digests(job, parts.clone()).await?;
            let bytes = parts.clone().filter_map(|part| plan.part_length(part)).sum();
            let copies = parts.map(|part| self.copy_part(job, part, &digests));
            let etags = futures::stream::iter(copies)
                .buffered(STREAMS)
                .try_collect()
                .await?;
            let row = SegmentRow {
                blob: job.blob.id.clone(),
                target: job.replica.target.clone(),
                segment,
                multipart_id: job.replica.multipart_id.clone().unwrap_or_default(),
                etags,
            };
            match self.table.record_segment(&row, bytes, now()).await {
                // Another delivery of this message was faster, or the multipart upload was given up.
                Ok(()) | Err(StoreError::Conflict(Conflict::ReplicaChanged)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let replica = self.table.replica(&job.blob.id, &job.replica.target).await?;
        if replica.is_some_and(|replica| replica.segments_done >= segments.segment_count()) {
            let (blob, target) = (job.blob.id.clone(), job.replica.target.clone());
            self.queue.send(&[Message::Finish { blob, target }]).await?;
        }
        Ok(())
    }

    /// What the ledger says of some parts.
    async fn digests(
        &self,
        job: &Job<'_>,
        parts: std::ops::RangeInclusive<u32>,
    ) -> Result<HashMap<u32, PartDigest>, ReplicaError> {
        let page = |part: u32| (part - 1) / LedgerRow::PARTS;
        let mut digests = HashMap::new();
        for page in page(*parts.start())..=page(*parts.end()) {
            let first = page * LedgerRow::PARTS + 1;
            digests.extend((first..).zip(self.table.ledger_page(&job.blob.id, page).await?));
        }
        Ok(digests)
    }

    async fn copy_part(
        &self,
        job: &Job<'_>,
        part: u32,
        digests: &HashMap<u32, PartDigest>,
    ) -> Result<String, ReplicaError> {
        let missing = || StoreError::Corrupt(format!("the ledger of {} lacks part {part}", job.blob.id));
        let expected = *digests.get(&part).ok_or_else(missing)?;
        let range = job.blob.parts()?.range(part).ok_or_else(missing)?;
        let multipart_id = job.replica.multipart_id.as_deref().unwrap_or_default();
        let _stream = self.streams.acquire().await;
        let mut attempt = 1;
        loop {
            let source = self.objects.read(&object_key(&job.blob.id), &range).await?;
            let length = range.end - range.start;
            match job
                .target
                .put_part(&job.key, multipart_id, part, source, length, expected)
                .await
            {
                Err(error) if attempt < PART_ATTEMPTS && !error.multipart_is_gone() => {
                    tracing::info!(blob = %job.blob.id, part, attempt, %error, "copying the part again");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// All segments are recorded: completes and verifies.
    async fn finish(&self, job: &Job<'_>, segments: Vec<SegmentRow>) -> Result<(), ReplicaError> {
        let etags = etags(segments);
        let expected = expected_etag(job, &etags)?;
        let id = job.replica.multipart_id.as_deref().unwrap_or_default();
        let completed = job.target.complete_multipart(&job.key, id, &etags).await;
        // Whatever the answer was, the object tells: a complete may have worked without an answer.
        match (self.verify(job, &expected).await, completed) {
            (Ok(()), _) => job.target.abort_all_multiparts(&job.key).await,
            (Err(error), Ok(())) => Err(error),
            // Some stores say other things than that there is no such upload.
            (Err(_), Err(error)) if job.target.has_multipart(&job.key, id).await? => Err(error),
            (Err(_), Err(_)) => self.begin_anew(job).await,
        }
    }

    /// The target's object has the size and checksum that were sent: the replica is available.
    async fn verify(&self, job: &Job<'_>, etag: &str) -> Result<(), ReplicaError> {
        let Some(head) = job.target.head(&job.key).await? else {
            return Err(job.target.corrupt("the object is not there"));
        };
        if head.size != job.blob.size || head.etag != etag {
            let expected = format!("{} bytes with ETag {etag}", job.blob.size);
            return Err(job
                .target
                .corrupt(&format!("{expected} were sent, it has {head:?}")));
        }
        Ok(self
            .table
            .mark_available(&job.replica, &job.key, job.blob.size, now())
            .await?)
    }

    /// The multipart upload at the target is gone. Another worker may have completed it a moment ago; otherwise
    /// from the beginning.
    async fn begin_anew(&self, job: &Job<'_>) -> Result<(), ReplicaError> {
        let segments = self.table.segments(&job.replica).await?;
        if segments.len() == SegmentPlan::of(&job.blob.parts()?).segment_count() as usize {
            let expected = expected_etag(job, &etags(segments))?;
            if self.verify(job, &expected).await.is_ok() {
                return Ok(());
            }
        }
        match self.table.forget_multipart(&job.replica, now()).await {
            // Whoever forgot it begins, if it was another worker.
            Err(StoreError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => {
                let (blob, target) = (job.blob.id.clone(), job.replica.target.clone());
                Ok(self.queue.send(&[Message::Start { blob, target }]).await?)
            }
        }
    }
}

/// The `ETag`s of all parts, in order.
fn etags(mut segments: Vec<SegmentRow>) -> Vec<String> {
    segments.sort_by_key(|segment| segment.segment);
    segments.into_iter().flat_map(|segment| segment.etags).collect()
}

fn expected_etag(job: &Job<'_>, etags: &[String]) -> Result<String, ReplicaError> {
    multipart_etag(etags).ok_or_else(|| job.target.corrupt("an ETag is no MD5"))
}

fn unreadable(error: &dyn std::error::Error) -> ReplicaError {
    ReplicaError::Store(StoreError::Remote {
        operation: "GetObject",
        code: None,
        cause: error.to_string(),
    })
}
