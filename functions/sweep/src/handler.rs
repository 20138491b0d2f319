//! Looks at everything that is due, and does for it what nobody else did: expires uploads, takes over stale
//! finalizes, discards what ended uploads left, sends lost replication messages again, reclaims blobs, removes what deleted
//! accounts have.
//!
//! Each item is on its own: one that fails is logged, postponed, and does not keep the others waiting.

use crate::feed;
use domain::blob;
use domain::replica::{STALLED_AFTER, State, Tally};
use domain::upload::{Duty, Event};
use edge::metrics::{Metric, emit};
use jiff::SignedDuration;
use replicas::{ReplicaError, Silent, Targets};
use serde::Serialize;
use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};
use store::finalize::{Finalizer, Outcome};
use store::rows::{AccountRow, BlobRow, ReplicaRow, UploadRow, from_now, now, object_key};
use store::table::{Key, Row};
use store::uploads::TransitionError;
use store::{Aws, Objects, StoreError, Table};

/// How many items of each shard are read at a time.
const BATCH: u32 = 100;
/// How long an item that failed is left alone.
const POSTPONE: SignedDuration = SignedDuration::from_mins(5);
/// How long one account is worked on in one sweep: others are waiting, too.
const FOR_ONE_ACCOUNT: Duration = Duration::from_secs(20);
/// How long an account whose removal has to wait for something is left alone.
const CLOSING: SignedDuration = SignedDuration::from_mins(1);
/// The longest time after which a replica that nobody is heard of gets another message.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(6);
/// How long replicas are fed to targets in one sweep: the next one goes on.
const FEEDING: Duration = Duration::from_secs(40);
/// The sweep stops looking for work this long before the invocation ends.
const RESERVE: Duration = Duration::from_secs(20);

pub(crate) struct Sweep {
    aws: Aws,
    finalizer: Finalizer,
    namespace: Option<String>,
}

/// What a sweep did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    expired: u32,
    finalized: u32,
    discarded: u32,
    resent: u32,
    /// Replicas that waited without a message, and got one.
    fed: usize,
    /// Targets that are left alone, and got a probe.
    probed: usize,
    reclaimed: u32,
    closed: u32,
    failed: u32,
    /// Items that cannot be read. Those that were due have failed as well.
    skipped: u64,
}

#[derive(Debug)]
enum Done {
    Nothing,
    Expired,
    Finalized,
    Discarded,
    Resent,
    Reclaimed,
    Closed,
}

impl Sweep {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        let finalizer = Finalizer::from_env(&aws)?;
        let namespace = std::env::var("METRICS_NAMESPACE").ok();
        Ok(Self {
            aws,
            finalizer,
            namespace,
        })
    }

    fn table(&self) -> &Table {
        &self.finalizer.table
    }

    fn objects(&self) -> &Objects {
        &self.finalizer.objects
    }

    pub(crate) async fn run(&self, deadline: SystemTime) -> Result<Report, ReplicaError> {
        let began = Instant::now();
        let feeding = feed::run(self.table(), &self.finalizer.queue, || began.elapsed() < FEEDING);
        let (fed, report) = tokio::join!(Box::pin(feeding), Box::pin(self.sweep(deadline)));
        let mut report = report?;
        (report.fed, report.probed) = (fed.sent, fed.probed);
        report.failed += u32::try_from(fed.failed).unwrap_or(u32::MAX);
        tracing::info!(?report, "swept");
        Ok(report)
    }

    async fn sweep(&self, deadline: SystemTime) -> Result<Report, ReplicaError> {
        let mut report = Report::default();
        let (mut seen, mut targets) = (HashSet::new(), TargetCache::default());
        let left = || {
            deadline
                .duration_since(SystemTime::now())
                .unwrap_or_default()
                .saturating_sub(RESERVE)
        };
        if let Err(error) = self.targets(&mut targets).await {
            report.failed += 1;
            tracing::error!(
                error = error.for_log(),
                "what is known of the targets is not up to date"
            );
        }
        while !left().is_zero() {
            let mut due = self.table().due(now(), BATCH).await?;
            // The index follows the table after a moment: what was just done may still be listed.
            due.retain(|key| seen.insert((key.pk.clone(), key.sk.clone())));
            if due.is_empty() {
                break;
            }
            // Then blobs: they need the targets, which may be slow to answer, and nobody waits for them. Last accounts,
            // which may have any number of files.
            due.sort_by_key(|key| match key.sk.as_str() {
                "ACCOUNT" => 2,
                sk => u8::from(!sk.contains('#')),
            });
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
                        if let Err(error) = self.table().postpone(&key, from_now(POSTPONE)).await {
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
        report.skipped = self.table().take_unreadable();
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
        if key.sk == AccountRow::SORT_KEY {
            return match self.table().get::<AccountRow>(key).await? {
                Some(account) => self.account(&account, time).await,
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

    /// Lets all functions know of the targets what they may, and measures how they do.
    async fn targets(&self, cache: &mut TargetCache) -> Result<(), ReplicaError> {
        // In this order: the document may be changed at this moment, and the newer one must be what is written last.
        let was = self.table().roster().await?;
        let config = &read_once(&mut cache.targets, &self.aws).await?.config;
        self.table().publish(was, config, now()).await?;
        for target in &config.targets {
            let tally = self.table().tally(&target.name).await?;
            self.table()
                .sample(&target.name, tally.copied_bytes, now())
                .await?;
            let oldest = self.table().oldest_at(&target.name).await?;
            let waited = oldest.map_or(0.0, |since| now().duration_since(since).as_secs_f64());
            self.measure(Some(&target.name), waited, &tally);
        }
        if config.targets.is_empty() {
            // Alarms know then that all is well.
            self.measure(None, 0.0, &Tally::default());
        }
        Ok(())
    }

    fn measure(&self, target: Option<&str>, waited: f64, tally: &Tally) {
        let metric = |name, unit, value: f64| Metric {
            name,
            unit,
            values: vec![value],
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 replicas")]
        let metrics = [
            metric("OldestPending", "Seconds", waited),
            metric("PendingReplicas", "Count", tally.pending as f64),
            metric("FailedReplicas", "Count", tally.failed as f64),
        ];
        emit(self.namespace.as_deref(), target, &metrics, now());
    }

    /// Nothing has happened for a while: its message may be lost. If it is not, a second one does no harm.
    async fn replica(&self, replica: &ReplicaRow) -> Result<Done, ReplicaError> {
        if !matches!(replica.state, State::Pending | State::Copying) {
            // A worker that was late made a failed one due. It waits for somebody.
            self.table().forget_due(&replica.key()).await?;
            return Ok(Done::Nothing);
        }
        // The longer it has waited, the less likely is it that another message helps.
        let waited = now().duration_since(replica.since);
        let again = from_now(waited.clamp(STALLED_AFTER, LONGEST_SILENCE));
        let target = std::slice::from_ref(&replica.target);
        self.table().postpone(&replica.key(), again).await?;
        self.finalizer.queue.start(&replica.blob, target).await?;
        Ok(Done::Resent)
    }

    /// The account is being deleted.
    async fn account(&self, account: &AccountRow, time: Duration) -> Result<Done, ReplicaError> {
        let began = Instant::now();
        let time = time.min(FOR_ONE_ACCOUNT);
        let go_on = || began.elapsed() < time;
        let cleared = self.table().clear_account(self.objects(), account, now(), go_on);
        if cleared.await? {
            return Ok(Done::Closed);
        }
        self.table().postpone(&account.key(), from_now(CLOSING)).await?;
        Ok(Done::Nothing)
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
            self.table().remove_replica(&replica).await?;
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
    silent: Silent,
}

impl TargetCache {
    /// Removes what a replica has at its target: multipart uploads under way, and the object.
    async fn remove(&mut self, aws: &Aws, replica: &ReplicaRow) -> Result<(), ReplicaError> {
        let Self { targets, silent } = self;
        let remove = async { read_once(targets, aws).await?.remove(replica).await };
        silent.ask(&replica.target, remove).await
    }
}

async fn read_once<'a>(targets: &'a mut Option<Targets>, aws: &Aws) -> Result<&'a Targets, ReplicaError> {
    let read = match targets.take() {
        Some(read) => read,
        None => Targets::from_env(aws).await?,
    };
    Ok(targets.insert(read))
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
            Done::Closed => self.closed += 1,
        }
    }
}

/// The index may be behind: what the row itself says counts.
fn is_due<R: Row>(row: &R) -> bool {
    row.due_at().is_some_and(|at| at <= now())
}
