//! What is done for a blob of several parts: its multipart upload at the target.

use super::{MessageResult, ReplicaTask, Replicator, arrived, lacks};
use domain::content::{PartDigest, PartPlan};
use domain::id::BlobId;
use domain::replica::{Message, SegmentPlan, State};
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use store::Conflict;
use store::rows::{PartDigestsRow, SegmentRow};
use targets::error::ReplicaError;
use targets::target::Receipt;

/// How many multipart uploads of a replica may be lost.
const MOST_RESTARTS: u32 = 5;

impl Replicator {
    /// Begins a multipart upload at the target, unless another worker did. Returns whether it is this one's.
    pub(super) async fn begin_multipart(&self, job: &ReplicaTask<'_>) -> Result<bool, ReplicaError> {
        let id = job.place.store.begin_multipart(&job.key).await?;
        match self
            .table
            .replicas()
            .begin_copying(&job.replica, &id, &job.key, self.table.now())
            .await
        {
            Err(error) if error.is_conflict() => {
                // A write whose answer got lost is sent again, and then refused because of itself.
                let replica = self
                    .table
                    .replicas()
                    .get(&job.blob.id, &job.replica.target)
                    .await?;
                if replica.is_some_and(|replica| replica.multipart_id.as_ref() == Some(&id)) {
                    return Ok(true);
                }
                job.place.store.abort_multipart(&job.key, &id).await?;
                Ok(false)
            }
            written => Ok(written.map(|()| true)?),
        }
    }

    /// Streams the parts of a segment and records them, once.
    pub(super) async fn copy_segment(
        &self,
        job: &ReplicaTask<'_>,
        segment: u32,
    ) -> Result<MessageResult, ReplicaError> {
        let plan = job.blob.parts()?;
        let segments = SegmentPlan::of(&plan);
        let Some(parts) = segments.parts(segment) else {
            tracing::warn!(blob = %job.blob.id, segment, "there is no such segment");
            return Ok(MessageResult::Nothing);
        };
        let mut copied = 0;
        if !self.table.replicas().has_segment(&job.replica, segment).await? {
            let digests = self.digests(job, parts.clone()).await?;
            let bytes = parts.clone().filter_map(|part| plan.part_length(part)).sum();
            let copies = parts.map(|part| self.copy_part(job, &plan, part, &digests));
            // They wait for each other where they are read: so the next begins as soon as any is done.
            let receipts = try_join_all(copies).await?;
            let row = SegmentRow {
                blob: job.blob.id.clone(),
                target: job.replica.target.clone(),
                segment,
                multipart_id: job.replica.multipart_id.clone().unwrap_or_default(),
                receipts,
            };
            match self
                .table
                .replicas()
                .record_segment(&job.replica, &row, bytes, self.table.now())
                .await
            {
                Ok(()) => copied = bytes,
                // Another delivery of this message was faster, or the multipart upload was given up.
                Err(error) if error.conflict() == Some(Conflict::ReplicaChanged) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let replica = self
            .table
            .replicas()
            .get(&job.blob.id, &job.replica.target)
            .await?;
        if replica.is_some_and(|replica| replica.segments_done >= segments.segment_count()) {
            let (blob, target) = (job.blob.id.clone(), job.replica.target.clone());
            self.queue.send(&[Message::Finish { blob, target }]).await?;
        }
        Ok(if copied > 0 {
            MessageResult::Copied(copied)
        } else {
            MessageResult::Nothing
        })
    }

    /// The digests of some parts.
    async fn digests(
        &self,
        job: &ReplicaTask<'_>,
        parts: RangeInclusive<u32>,
    ) -> Result<BTreeMap<u32, PartDigest>, ReplicaError> {
        let page = |part: u32| (part - 1) / PartDigestsRow::PARTS;
        let mut digests = BTreeMap::new();
        for page in page(*parts.start())..=page(*parts.end()) {
            let first = page * PartDigestsRow::PARTS + 1;
            digests.extend((first..).zip(self.table.blobs().part_digests_page(&job.blob.id, page).await?));
        }
        Ok(digests)
    }

    async fn copy_part(
        &self,
        job: &ReplicaTask<'_>,
        plan: &PartPlan,
        part: u32,
        digests: &BTreeMap<u32, PartDigest>,
    ) -> Result<Receipt, ReplicaError> {
        let digest = *digests.get(&part).ok_or_else(|| lacks(job, part))?;
        let range = plan.range(part).ok_or_else(|| lacks(job, part))?;
        let multipart_id = job.replica.multipart_id.as_deref().unwrap_or_default();
        self.attempts(job, part, async || {
            let (copy, _stream) = self.read(job, range.clone(), digest).await?;
            job.place.store.put_part(&job.key, multipart_id, part, copy).await
        })
        .await
    }

    /// All segments are recorded: completes and verifies.
    pub(super) async fn finish(
        &self,
        job: &ReplicaTask<'_>,
        segments: Vec<SegmentRow>,
    ) -> Result<MessageResult, ReplicaError> {
        let store = &job.place.store;
        let Some((receipts, checksum)) = whole(job, segments)? else {
            // The target's checksums have another form now: its configuration was changed.
            return self.begin_anew(job).await;
        };
        let id = job.replica.multipart_id.as_deref().unwrap_or_default();
        let completed = store.complete_multipart(&job.key, id, &receipts).await;
        // Whatever the answer was, the object tells: a complete may have worked without an answer.
        let refused = match (self.verify(job, checksum).await, completed) {
            (Err(ReplicaError::TargetCorrupt { .. }), Err(refused)) => refused,
            (verified, _) => return verified,
        };
        // Some stores have other errors for an upload that does not exist.
        if store.multiparts(&job.key).await?.iter().any(|live| live == id) {
            return Err(refused);
        }
        if !job.again {
            // It may be being completed right now, by another worker, or for one that timed out.
            return Err(refused.passing());
        }
        self.begin_anew(job).await
    }

    /// The target's object has the size and checksum that were sent: the replica is there.
    async fn verify(&self, job: &ReplicaTask<'_>, checksum: String) -> Result<MessageResult, ReplicaError> {
        let there = job.place.store.head(&job.key).await?;
        if there
            .as_ref()
            .is_some_and(|there| there.is(job.blob.size, &checksum))
        {
            return Ok(arrived(job, checksum, 0));
        }
        let sent = format!("{} bytes with the checksum {checksum} were sent", job.blob.size);
        let has = there.map_or_else(
            || "nothing is there".to_owned(),
            |there| format!("{} bytes with {} are there", there.size, there.checksum),
        );
        let detail = format!("{sent}, {has}");
        Err(ReplicaError::target_corrupt(&job.replica.target, detail))
    }

    /// Aborts the other multipart uploads of a replica that is available: those that a crash kept from being
    /// recorded.
    ///
    /// # Errors
    /// [`ReplicaError::Target`].
    pub async fn abort_all_multiparts(&self, blob: &BlobId, target: &str) -> Result<(), ReplicaError> {
        let place = self.targets.get(target)?;
        place.store.abort_all_multiparts(&place.key(blob)).await
    }

    /// The multipart upload at the target is gone. Another worker may have completed it just now; otherwise
    /// from the beginning, but not for ever.
    pub(super) async fn begin_anew(&self, job: &ReplicaTask<'_>) -> Result<MessageResult, ReplicaError> {
        let segments = self.table.replicas().segments(&job.replica).await?;
        if segments.len() == SegmentPlan::of(&job.blob.parts()?).segment_count() as usize
            && let Some((_, checksum)) = whole(job, segments)?
        {
            match self.verify(job, checksum).await {
                Err(ReplicaError::TargetCorrupt { .. }) => {}
                verified => return verified,
            }
        }
        if job.replica.restarts >= MOST_RESTARTS {
            let detail = format!("{MOST_RESTARTS} multipart uploads came to nothing");
            return Err(ReplicaError::target_corrupt(&job.replica.target, detail));
        }
        let forgotten = match self
            .table
            .replicas()
            .forget_multipart(&job.replica, self.table.now())
            .await
        {
            Ok(()) => true,
            // If another worker forgot it, that one begins; if this one did and got no answer, nobody does.
            Err(error) if error.is_conflict() => {
                let replica = self
                    .table
                    .replicas()
                    .get(&job.blob.id, &job.replica.target)
                    .await?;
                replica.is_some_and(|replica| replica.multipart_id.is_none())
            }
            Err(error) => return Err(error.into()),
        };
        // Starting one that was given up would be trying it again without having been asked.
        if forgotten && job.replica.state != State::Failed {
            let (blob, target) = (job.blob.id.clone(), job.replica.target.clone());
            self.queue.send(&[Message::Start { blob, target }]).await?;
        }
        Ok(MessageResult::Nothing)
    }
}

/// The receipts of all parts in order, and the checksum that the target must return for the whole. `None`: the receipts
/// are of another kind than the target returns.
fn whole(
    job: &ReplicaTask<'_>,
    mut segments: Vec<SegmentRow>,
) -> Result<Option<(Vec<Receipt>, String)>, ReplicaError> {
    segments.sort_by_key(|segment| segment.segment);
    let receipts: Vec<Receipt> = segments
        .into_iter()
        .flat_map(|segment| segment.receipts)
        .collect();
    let plan = job.blob.parts()?;
    let lengths = (1..).map(|part| plan.part_length(part).unwrap_or_default());
    let parts: Vec<(Receipt, u64)> = receipts.iter().cloned().zip(lengths).collect();
    Ok(job
        .place
        .store
        .checksum_of(&parts)
        .map(|checksum| (receipts, checksum)))
}
