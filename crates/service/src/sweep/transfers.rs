//! Uploads and replicas without progress.

use super::Sweep;
use crate::sweep::lane::Lane;
use crate::sweep::report::Done;
use crate::upload::complete::FinalizeResult;
use domain::replica::{STALLED_AFTER, State};
use domain::upload::{SweepAction, UploadEvent};
use jiff::SignedDuration;
use jiff::Timestamp;
use std::time::Duration;
use store::rows::{ReplicaRow, UploadRow};
use store::table::{Class, Key, Row};
use store::uploads::TransitionError;
use store::{ErrorKind, StoreError};
use targets::ReplicaError;

/// The longest time after which a replica without progress gets another message.
const MAX_RESEND_INTERVAL: SignedDuration = SignedDuration::from_hours(6);
/// How long S3 is waited for when a finalize is taken over: while it is, no other run does anything of this class. A later
/// one finds what S3 did in the meantime.
const TAKE_OVER: Duration = Duration::from_secs(45);
/// How many are worked on at once.
const AT_ONCE: usize = 32;

impl Sweep {
    /// Processes all due uploads and replicas.
    pub(crate) async fn transfers(&self, lane: &Lane<'_>) {
        lane.each(AT_ONCE, async |key| self.transfer(key, lane.time.left()).await)
            .await;
    }

    async fn transfer(&self, key: &Key, time: Duration) -> Result<Done, ReplicaError> {
        if Class::of(key) != Class::Transfers {
            // An older version made it due: it goes to the partitions of its class.
            self.table().postpone(key, self.table().now()).await?;
            return Ok(Done::Nothing);
        }
        let now = self.table().now();
        if key.sk.starts_with(UploadRow::PREFIX) {
            return match self
                .table()
                .get::<UploadRow>(key)
                .await?
                .filter(|row| is_due(row, now))
            {
                Some(upload) => self.upload(&upload, time).await,
                None => Ok(Done::Nothing),
            };
        }
        match self
            .table()
            .get::<ReplicaRow>(key)
            .await?
            .filter(|row| is_due(row, now))
        {
            Some(replica) => self.replica(&replica).await,
            None => Ok(Done::Nothing),
        }
    }

    async fn upload(&self, upload: &UploadRow, time: Duration) -> Result<Done, ReplicaError> {
        match upload.state.sweep_action() {
            SweepAction::Expire => {
                match self
                    .table()
                    .uploads()
                    .transition(upload, UploadEvent::Expire, self.table().now(), |_| (), vec![])
                    .await
                {
                    Ok(expired) => {
                        self.table()
                            .uploads()
                            .discard(self.objects(), &expired, self.table().now())
                            .await?;
                    }
                    // It goes on.
                    Err(TransitionError::Refused(_)) => {
                        self.table().uploads().look_later(upload).await?;
                        return Ok(Done::Nothing);
                    }
                    // It was touched or ended meanwhile.
                    Err(error) if error.conflict().is_some() => return Ok(Done::Nothing),
                    Err(TransitionError::Store(error)) => return Err(error.into()),
                }
                Ok(Done::Expired)
            }
            SweepAction::TakeOver => match self.finalizer.run(upload, time.min(TAKE_OVER)).await {
                Ok(FinalizeResult::InProgress(_)) => Ok(Done::Nothing),
                // Whatever else came out, the upload is not stuck any more: the client sees it when it asks.
                Ok(_)
                | Err(StoreError {
                    kind: ErrorKind::Conflict(_),
                    ..
                }) => Ok(Done::Finalized),
                Err(error) => Err(error.into()),
            },
            SweepAction::Discard => {
                self.table()
                    .uploads()
                    .discard(self.objects(), upload, self.table().now())
                    .await?;
                Ok(Done::Discarded)
            }
        }
    }

    /// Nothing has happened for a while: its message may be lost. If it is not, a second one does no harm.
    async fn replica(&self, replica: &ReplicaRow) -> Result<Done, ReplicaError> {
        if !matches!(replica.state, State::Pending | State::Copying) {
            // A late worker made a failed one due. It waits for a redrive.
            self.table().forget_due(&replica.key()).await?;
            return Ok(Done::Nothing);
        }
        // The longer it has waited, the less likely is it that another message helps.
        let waited = self.table().now().duration_since(replica.since);
        let again = self
            .table()
            .from_now(waited.clamp(STALLED_AFTER, MAX_RESEND_INTERVAL));
        let target = std::slice::from_ref(&replica.target);
        self.table().postpone(&replica.key(), again).await?;
        self.finalizer.queue.start(&replica.blob, target).await?;
        Ok(Done::Resent)
    }
}

/// The index may be behind: what the row itself says counts.
fn is_due<R: Row>(row: &R, now: Timestamp) -> bool {
    row.due_at().is_some_and(|at| at <= now)
}
