//! What is done with each message of the replication queues.
//!
//! Every step begins by reading the table and does what [`domain::replica::next`] says. So any
//! message may be lost, repeated, late or out of order, and any step may crash.

mod multipart;

use crate::configured_targets::{ConfiguredTarget, Targets};
use domain::content::PartDigest;
use domain::id::BlobId;
use domain::replica::{Message, Next, SegmentPlan, State, next};
use std::ops::Range;
use std::sync::Arc;
use store::replicas::arriving::Arrival;
use store::rows::{BlobRow, ReplicaRow, object_key};
use store::{Objects, Queue, StoreError, Table};
use targets::error::{Failure, ReplicaError};
use targets::target::Copy;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// The weight of a stream of more than [`LIGHT`] bytes; the total weight of all to one target is at most
/// [`WEIGHT`](crate::configured_targets::WEIGHT).
const HEAVY: u32 = 4;
/// A stream of no more bytes than this weighs 1.
const LIGHT: u64 = 1024 * 1024;
/// How often a part is tried before the whole message is.
const PART_ATTEMPTS: u32 = 3;

/// Copies blobs to targets.
pub struct Replicator {
    /// The table.
    pub table: Table,
    /// The primary store.
    pub objects: Objects,
    /// Where further messages go.
    pub queue: Queue,
    /// Where copies go.
    pub targets: Arc<Targets>,
}

/// A message, with the items it is about, read just now.
pub struct Task<'a> {
    /// The message.
    pub message: &'a Message,
    /// What is to be copied.
    pub blob: BlobRow,
    /// The copy.
    pub replica: ReplicaRow,
    /// That of the blob's only part, if it was read already.
    pub digest: Option<PartDigest>,
    /// It was tried before.
    pub again: bool,
    /// When nothing is begun any more.
    pub deadline: Instant,
}

/// The result of a message.
#[derive(Debug)]
pub enum MessageResult {
    /// Nothing was to be done for it, or others have done it. It says nothing about the target.
    Nothing,
    /// This many bytes of a segment were copied and recorded.
    Copied(u64),
    /// The replica is complete and verified. That has to be recorded.
    Arrived(Box<Arrival>),
}

/// One replica and all that is needed to work on it.
struct ReplicaTask<'a> {
    blob: BlobRow,
    replica: ReplicaRow,
    digest: Option<PartDigest>,
    again: bool,
    deadline: Instant,
    place: &'a ConfiguredTarget,
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
        }
    }

    /// Does what a message says, as far as it has not been done.
    ///
    /// # Errors
    /// [`ReplicaError`]: the message should come again later.
    pub async fn handle(&self, task: Task<'_>) -> Result<MessageResult, ReplicaError> {
        let Task { blob, replica, .. } = task;
        let place = self.targets.get(&replica.target)?;
        if blob.reclaiming || place.config.draining {
            return Ok(MessageResult::Nothing);
        }
        if replica.state == State::Available {
            return Ok(MessageResult::Nothing);
        }
        let mut job = ReplicaTask {
            key: place.key(&blob.id),
            blob,
            replica,
            digest: task.digest,
            again: task.again,
            deadline: task.deadline,
            place,
        };
        let done = match (task.message, &job.replica.multipart_id) {
            (Message::Copy { segment, .. }, Some(_)) => self.copy_segment(&job, *segment).await,
            (Message::Start { .. }, _) if job.replica.state == State::Failed => {
                // Somebody wants it tried again.
                self.table
                    .replicas()
                    .redrive(&job.replica, self.table.now())
                    .await?;
                match self
                    .table
                    .replicas()
                    .get(&job.blob.id, &job.replica.target)
                    .await?
                {
                    Some(replica) => job.replica = replica,
                    None => return Ok(MessageResult::Nothing),
                }
                self.advance(&job).await
            }
            // A straggler of one that was given up.
            (_, None) if job.replica.state == State::Failed => Ok(MessageResult::Nothing),
            _ => self.advance(&job).await,
        };
        match done {
            Err(error) if error.multipart_is_gone() => self.begin_anew(&job).await,
            done => done,
        }
    }

    /// Does what comes next.
    async fn advance(&self, job: &ReplicaTask<'_>) -> Result<MessageResult, ReplicaError> {
        let plan = job.blob.parts()?;
        let begun = job.replica.multipart_id.is_some();
        let segments = if begun {
            self.table.replicas().segments(&job.replica).await?
        } else {
            Vec::new()
        };
        let recorded: Vec<u32> = segments.iter().map(|segment| segment.segment).collect();
        match next(job.replica.state, &plan, begun, &recorded) {
            Next::Nothing => Ok(MessageResult::Nothing),
            Next::PutWhole => self.put_whole(job).await,
            Next::BeginMultipart => {
                if self.begin_multipart(job).await? {
                    let count = SegmentPlan::of(&plan).segment_count();
                    self.send_copies(job, 0..count).await?;
                }
                // A full target can still do this.
                Ok(MessageResult::Nothing)
            }
            Next::Copy(missing) => {
                self.send_copies(job, missing).await?;
                Ok(MessageResult::Nothing)
            }
            Next::Finish => self.finish(job, segments).await,
        }
    }

    /// What is to be done next for a replica whose multipart upload was begun; `None` when that is nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn further(&self, blob: &BlobId, target: &str) -> Result<Option<Message>, StoreError> {
        let replica = self.table.replicas().get(blob, target).await?;
        let begun = |replica: &ReplicaRow| replica.state.is_under_way() && replica.multipart_id.is_some();
        let (Some(replica), Some(row)) = (replica.filter(begun), self.table.blobs().get(blob).await?) else {
            return Ok(None);
        };
        let segments = self.table.replicas().segments(&replica).await?;
        let recorded: Vec<u32> = segments.iter().map(|segment| segment.segment).collect();
        let (blob, target) = (blob.clone(), target.to_owned());
        Ok(match next(replica.state, &row.parts()?, true, &recorded) {
            Next::Copy(missing) => missing.first().map(|segment| Message::Copy {
                blob,
                target,
                segment: *segment,
            }),
            Next::Finish => Some(Message::Finish { blob, target }),
            Next::Nothing | Next::PutWhole | Next::BeginMultipart => None,
        })
    }

    async fn send_copies(
        &self,
        job: &ReplicaTask<'_>,
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

    /// A blob of one part, at most 8 MiB.
    async fn put_whole(&self, job: &ReplicaTask<'_>) -> Result<MessageResult, ReplicaError> {
        let digest = match job.digest {
            Some(digest) => digest,
            None => *self
                .table
                .blobs()
                .part_digests_page(&job.blob.id, 0)
                .await?
                .first()
                .ok_or_else(|| lacks(job, 1))?,
        };
        let checksum = self
            .attempts(job, 1, async || {
                let (copy, _stream) = self.read(job, 0..job.blob.size, digest).await?;
                job.place.store.put(&job.key, copy).await
            })
            .await?;
        Ok(arrived(job, checksum, job.blob.size))
    }

    /// Opens a part of the blob in the primary store, when there is room for one more stream.
    async fn read<'a>(
        &self,
        job: &ReplicaTask<'a>,
        range: Range<u64>,
        digest: PartDigest,
    ) -> Result<(Copy, Option<SemaphorePermit<'a>>), ReplicaError> {
        let length = range.end - range.start;
        let weight = if length > LIGHT { HEAVY } else { 1 };
        let room = job.place.streams.acquire_many(weight);
        // Never closed.
        let stream = timeout_at(job.deadline, room)
            .await
            .map_err(|_| ReplicaError::NoTime)?
            .ok();
        let source = self.objects.read(&object_key(&job.blob.id), &range).await?;
        let copy = Copy {
            source,
            length,
            digest,
        };
        Ok((copy, stream))
    }

    /// Tries a copy some times before its message is.
    async fn attempts<T>(
        &self,
        job: &ReplicaTask<'_>,
        part: u32,
        copy: impl AsyncFn() -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        let mut attempt = 1;
        loop {
            match copy().await {
                Err(error) if attempt < PART_ATTEMPTS && may_be_better_at_once(&error) => {
                    tracing::info!(blob = %job.blob.id, part, attempt, error = error.for_log(), "copying again");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

/// Whether a copy that failed so may succeed when it is tried again without a wait.
fn may_be_better_at_once(error: &ReplicaError) -> bool {
    match error {
        ReplicaError::SourceCorrupt
        | ReplicaError::TargetCorrupt { .. }
        | ReplicaError::Target {
            failure: Failure::Passing,
            ..
        } => true,
        // The source broke off, or did not answer. One that answers that it is broken was asked three times.
        ReplicaError::Store(error) => error.has_no_answer(),
        _ => false,
    }
}

fn arrived(job: &ReplicaTask<'_>, checksum: String, copied: u64) -> MessageResult {
    MessageResult::Arrived(Box::new(Arrival {
        replica: job.replica.clone(),
        key: job.key.clone(),
        checksum,
        copied,
    }))
}

fn lacks(job: &ReplicaTask<'_>, part: u32) -> StoreError {
    StoreError::corrupt(format!("the part digests of {} lack part {part}", job.blob.id))
}
