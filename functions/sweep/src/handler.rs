//! Looks at everything that is due, and does for it what nobody else did: expires uploads, takes over stale
//! finalizes, discards what ended uploads left, sends lost replication messages again, reclaims blobs.
//!
//! Each item is on its own: one that fails is logged, postponed, and does not keep the others waiting.

use domain::blob;
use domain::replica::{Message, STALLED_AFTER};
use domain::upload::{Duty, Event};
use jiff::{SignedDuration, Timestamp};
use replicas::{ReplicaError, Targets};
use serde::Serialize;
use std::collections::HashSet;
use std::time::{Duration, SystemTime};
use store::finalize::{Finalizer, Outcome};
use store::rows::{BlobRow, ReplicaRow, UploadRow, now, object_key};
use store::table::{Key, Row};
use store::uploads::TransitionError;
use store::{Aws, Objects, StoreError, Table};

/// How many items of each shard are read at a time.
const BATCH: u32 = 100;
/// How long an item that failed is left alone.
const POSTPONE: SignedDuration = SignedDuration::from_mins(5);
/// The sweep stops looking for work this long before the invocation ends.
const RESERVE: Duration = Duration::from_secs(20);

pub(crate) struct Sweep {
    aws: Aws,
    finalizer: Finalizer,
}

/// What a sweep did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    expired: u32,
    finalized: u32,
    discarded: u32,
    resent: u32,
    reclaimed: u32,
    failed: u32,
}

#[derive(Debug)]
enum Done {
    Nothing,
    Expired,
    Finalized,
    Discarded,
    Resent,
    Reclaimed,
}

impl Sweep {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        let finalizer = Finalizer::from_env(&aws)?;
        Ok(Self { aws, finalizer })
    }

    fn table(&self) -> &Table {
        &self.finalizer.table
    }

    fn objects(&self) -> &Objects {
        &self.finalizer.objects
    }

    pub(crate) async fn run(&self, deadline: SystemTime) -> Result<Report, ReplicaError> {
        let mut report = Report::default();
        let (mut seen, mut targets) = (HashSet::new(), TargetCache::default());
        let left = || {
            deadline
                .duration_since(SystemTime::now())
                .unwrap_or_default()
                .saturating_sub(RESERVE)
        };
        while !left().is_zero() {
            let mut due = self.table().due(now(), BATCH).await?;
            // The index follows the table after a moment: what was just done may still be listed.
            due.retain(|key| seen.insert((key.pk.clone(), key.sk.clone())));
            if due.is_empty() {
                break;
            }
            // Blobs last: they need the targets, which may be slow to answer, and nobody waits for them.
            due.sort_by_key(|key| !key.sk.contains('#'));
            for key in due {
                if left().is_zero() {
                    break;
                }
                match self.item(&key, left(), &mut targets).await {
                    Ok(done) => report.count(&done),
                    Err(error) => {
                        report.failed += 1;
                        tracing::error!(
                            pk = key.pk,
                            sk = key.sk,
                            error = error.for_log(),
                            "left to a later sweep"
                        );
                        if let Err(error) = self.table().postpone(&key, after(POSTPONE)).await {
                            tracing::warn!(
                                pk = key.pk,
                                sk = key.sk,
                                error = error.for_log(),
                                "not postponed"
                            );
                        }
                    }
                }
            }
        }
        tracing::info!(?report, "swept");
        Ok(report)
    }

    async fn item(&self, key: &Key, time: Duration, targets: &mut TargetCache) -> Result<Done, ReplicaError> {
        if key.sk.starts_with(UploadRow::PREFIX) {
            let row = self.table().get::<UploadRow>(key).await?.filter(is_due);
            return match row {
                Some(upload) => self.upload(&upload, time).await,
                None => Ok(Done::Nothing),
            };
        }
        if key.sk.starts_with(ReplicaRow::PREFIX) {
            return match self.table().get::<ReplicaRow>(key).await?.filter(is_due) {
                Some(replica) => self.replica(&replica).await,
                None => Ok(Done::Nothing),
            };
        }
        match self
            .table()
            .get::<BlobRow>(key)
            .await?
            .filter(|blob| blob.due_at.is_some())
        {
            Some(blob) => self.blob(&blob, targets).await,
            None => Ok(Done::Nothing),
        }
    }

    async fn upload(&self, upload: &UploadRow, time: Duration) -> Result<Done, ReplicaError> {
        match upload.state.duty() {
            Duty::Expire => {
                match self
                    .table()
                    .move_upload(upload, Event::Expire, now(), |_| (), vec![])
                    .await
                {
                    Ok(expired) => self.table().discard(self.objects(), &expired, now()).await?,
                    // It was touched or ended meanwhile.
                    Err(TransitionError::Refused(_) | TransitionError::Store(StoreError::Conflict(_))) => {
                        return Ok(Done::Nothing);
                    }
                    Err(TransitionError::Store(error)) => return Err(error.into()),
                }
                Ok(Done::Expired)
            }
            Duty::TakeOver => match self.finalizer.run(upload, time).await {
                Ok(Outcome::InProgress(_)) => Ok(Done::Nothing),
                // Whatever else came out, the upload is not stuck any more: the client sees it when it asks.
                Ok(_) | Err(StoreError::Conflict(_)) => Ok(Done::Finalized),
                Err(error) => Err(error.into()),
            },
            Duty::Discard => {
                self.table().discard(self.objects(), upload, now()).await?;
                Ok(Done::Discarded)
            }
        }
    }

    /// Nothing has happened for a while: its message may be lost. If it is not, a second one does no harm.
    async fn replica(&self, replica: &ReplicaRow) -> Result<Done, ReplicaError> {
        let (blob, target) = (replica.blob.clone(), replica.target.clone());
        self.finalizer
            .queue
            .send(&[Message::Start { blob, target }])
            .await?;
        self.table()
            .postpone(&replica.key(), after(STALLED_AFTER))
            .await?;
        Ok(Done::Resent)
    }

    async fn blob(&self, blob: &BlobRow, targets: &mut TargetCache) -> Result<Done, ReplicaError> {
        let effects = match self.table().move_blob(blob, blob::Event::Examine, now()).await {
            Ok(Ok(effects)) => effects,
            // It is not due, or it was revived at the last moment.
            Ok(Err(_)) | Err(StoreError::Conflict(_)) => return Ok(Done::Nothing),
            Err(error) => return Err(error.into()),
        };
        if !effects.contains(&blob::Effect::Delete) {
            return Ok(Done::Nothing);
        }
        for replica in self.table().replicas(&blob.id).await? {
            targets.remove(&self.aws, &replica).await?;
        }
        let key = object_key(&blob.id);
        self.objects().abort_all_multiparts(&key).await?;
        self.objects().delete(&key).await?;
        self.table().delete_blob(blob).await?;
        Ok(Done::Reclaimed)
    }
}

/// The targets, read once a run, and those among them that do not answer: they are not asked again in this run.
#[derive(Default)]
struct TargetCache {
    targets: Option<Targets>,
    silent: HashSet<String>,
}

impl TargetCache {
    /// Removes what a replica has at its target: multipart uploads under way, and the object.
    async fn remove(&mut self, aws: &Aws, replica: &ReplicaRow) -> Result<(), ReplicaError> {
        let targets = match self.targets.take() {
            Some(targets) => targets,
            None => Targets::from_env(aws).await?,
        };
        let targets = self.targets.insert(targets);
        let name = &replica.target;
        if self.silent.contains(name) {
            return Err(ReplicaError::Misconfigured(format!(
                "{name} did not answer just now"
            )));
        }
        let Ok(target) = targets.get(name) else {
            // Nobody has its credentials any more. What is there is its owner's.
            tracing::warn!(target = name, key = replica.key, blob = %replica.blob, "left at a retired target");
            return Ok(());
        };
        let key = replica.key.clone().unwrap_or_else(|| target.key(&replica.blob));
        let removed = match target.abort_all_multiparts(&key).await {
            Ok(()) => target.delete(&key).await,
            failed => failed,
        };
        if removed.is_err() {
            self.silent.insert(name.clone());
        }
        removed
    }
}

impl Report {
    fn count(&mut self, done: &Done) {
        match done {
            Done::Nothing => {}
            Done::Expired => self.expired += 1,
            Done::Finalized => self.finalized += 1,
            Done::Discarded => self.discarded += 1,
            Done::Resent => self.resent += 1,
            Done::Reclaimed => self.reclaimed += 1,
        }
    }
}

/// The index may be behind: what the row itself says counts.
fn is_due<R: Row>(row: &R) -> bool {
    row.due_at().is_some_and(|at| at <= now())
}

fn after(wait: SignedDuration) -> Timestamp {
    now().checked_add(wait).unwrap_or(Timestamp::MAX)
}
