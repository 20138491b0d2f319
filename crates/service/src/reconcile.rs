//! Goes through everything in the bucket and in the table, removes what has no owner, and marks what is lost.
//!
//! Only a sample is checked one by one with HEADs; of all other blobs the listing of the bucket tells which have no
//! object, or one of another size.
//!
//! A pass takes as long as the store is large. It goes on from one invocation to the next, page by page; the progress is stored
//! after each page. A page that was interrupted is done again, which does no harm.

mod at_targets;
mod multiparts;
mod objects;
mod rows;

use crate::configured_targets::TargetsCache;
use crate::unreachable::UnreachableTargets;
use domain::id::BlobId;
use domain::reconcile::pass::{Counts, Missing, PageStart, Pass, Seen};
use domain::reconcile::sample::Sample;
use domain::reconcile::{Age, after_target_registry_change};
use futures::StreamExt;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use store::rows::{ReconcileRow, TargetRegistryRow};
use store::{Environment, Objects, StartQueue, StoreError, Table};
use targets::ReplicaError;
use tokio::time::Instant;

/// How many objects or multipart uploads are in a page.
const LISTED: u32 = 100;
/// How many rows of the table are in a page; most are neither blobs nor upload owners.
const SCANNED: u32 = 1000;
/// How many things are examined at once.
const AT_ONCE: usize = 16;
/// No page is begun this long before the invocation ends.
const RESERVE: Duration = Duration::from_secs(20);

/// Passes over everything, one after the other.
pub struct Reconcile {
    table: Table,
    objects: Objects,
    queue: StartQueue,
    targets: TargetsCache,
    unreachable: UnreachableTargets,
    min_age: SignedDuration,
    interval: SignedDuration,
    /// One in this many blobs and replicas is checked by a HEAD.
    sample: u64,
}

/// How far the reconciler is.
#[derive(Debug, Serialize)]
pub struct Report {
    state: State,
    /// When the pass began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// One in this many blobs and replicas is checked by a HEAD; of blobs only where the listing can tell about the others.
    sample: u64,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The next invocation goes on.
    UnderWay,
    /// The pass has ended.
    Ended,
    /// It is too early for another pass; this is the last one.
    NotDue,
    /// Another invocation works on the same pass, and is ahead.
    Overtaken,
}

/// The result of a page.
struct Page {
    counts: Counts,
    /// What it says about which blobs have objects.
    seen: Seen,
    /// Where the next page like it begins, if there is one.
    next: Option<PageStart>,
}

impl Reconcile {
    /// As the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        let whole = |name| {
            environment
                .number(name)
                .map(|n| i64::try_from(n).unwrap_or(i64::MAX))
        };
        // A number of hours whose seconds overflow is as good as never.
        let interval = whole("RECONCILE_INTERVAL_HOURS")?.saturating_mul(3600);
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            targets: TargetsCache::new(environment.clone()),
            unreachable: UnreachableTargets::default(),
            min_age: SignedDuration::from_secs(whole("RECONCILE_MIN_AGE_SECONDS")?),
            interval: SignedDuration::from_secs(interval),
            sample: environment.number("RECONCILE_SAMPLE")?,
        })
    }

    /// Goes on with the pass under way, or begins the next when it is due, until the time is over.
    ///
    /// # Errors
    /// [`StoreError`] when the progress cannot be read or stored.
    pub async fn run(&self, deadline: Instant) -> Result<Report, StoreError> {
        let left = || {
            let left = deadline.saturating_duration_since(Instant::now());
            left.saturating_sub(RESERVE)
        };
        let mut row = self.table.reconciliation().progress().await?;
        // Without it nothing is known of any target, and what is at targets is left alone.
        let target_registry = self.table.targets().target_registry().await;
        let target_registry = self.table.or_leave_out(target_registry)?.unwrap_or_default();
        self.unreachable.forget();
        let again = after_target_registry_change(target_registry.changed_at);
        let mut state = State::UnderWay;
        while !left().is_zero() {
            let Some(mut pass) = row.progress.pass(self.table.now(), self.interval, &again) else {
                state = State::NotDue;
                break;
            };
            let Page {
                mut counts,
                seen,
                next,
            } = self.page(&pass, &target_registry).await?;
            pass.note(&seen);
            if next.is_none() && pass.place.then().is_none() {
                counts += self.without_objects(&pass).await;
            }
            let progress = row.progress.after_page(pass, counts, next, self.table.now());
            match self.table.reconciliation().note_progress(&row, progress).await? {
                Some(next) => row = next,
                None => {
                    state = State::Overtaken;
                    break;
                }
            }
            if row.progress.under_way.is_none() {
                state = State::Ended;
                break;
            }
        }
        self.table.targets().forget_retired(target_registry).await?;
        let report = Report::of(&row, state, self.sample);
        tracing::info!(?report, "reconciled");
        Ok(report)
    }

    async fn page(&self, pass: &Pass, target_registry: &TargetRegistryRow) -> Result<Page, StoreError> {
        match &pass.place {
            PageStart::Objects { after } => self.objects_page(pass, after.as_deref()).await,
            PageStart::Multiparts { after } => self.multiparts_page(after.as_ref()).await,
            PageStart::Rows { after } => self.rows_page(pass, after.as_ref(), target_registry).await,
        }
    }

    /// Checks the objects of the blobs that the listing did not have, when the pass has seen all pages.
    async fn without_objects(&self, pass: &Pass) -> Counts {
        match pass.missing() {
            Missing::Perhaps(mut blobs) => {
                blobs.retain(|blob| !self.asks_for(pass, blob));
                self.blobs(blobs).await
            }
            Missing::TooMany => {
                tracing::warn!(
                    "more objects are gone than the listing can tell, or much was removed meanwhile: \
                     the next pass begins at once and asks for each"
                );
                Counts::default()
            }
        }
    }

    fn sample_of(&self, pass: &Pass) -> Sample {
        Sample {
            one_in: self.sample,
            pass: pass.number,
        }
    }

    /// Whether the pass checks a blob's object when it comes to its row, whatever the listing says.
    fn asks_for(&self, pass: &Pass, blob: &BlobId) -> bool {
        pass.sketch.is_none() || self.sample_of(pass).has(blob)
    }

    fn age(&self) -> Age {
        Age {
            now: self.table.now(),
            min: self.min_age,
        }
    }
}

/// Does something for each of `things`, some at a time. Returns the results of those that did not fail, and how many did:
/// one of them does not keep the others waiting, and the next pass comes to it again.
async fn each<T, A, E: Into<ReplicaError>>(
    things: impl IntoIterator<Item = T>,
    examine: impl AsyncFn(T) -> Result<A, E>,
) -> (Vec<A>, u64) {
    let examine = &examine;
    let answers = stream::iter(things)
        .map(async |thing| examine(thing).await)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let (mut good, mut failed) = (Vec::new(), 0);
    for answer in answers {
        match answer {
            Ok(answer) => good.push(answer),
            Err(error) => {
                failed += 1;
                tracing::error!(error = error.into().for_log(), "left to the next pass");
            }
        }
    }
    (good, failed)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Report {
    fn of(row: &ReconcileRow, state: State, sample: u64) -> Self {
        let progress = &row.progress;
        let under_way = progress
            .under_way
            .as_ref()
            .map(|pass| (pass.started_at, pass.counts));
        let last = progress.last.as_ref().map(|last| (last.started_at, last.counts));
        let (started_at, counts) = under_way.or(last).unzip();
        Self {
            state,
            started_at,
            sample,
            counts: counts.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::reconcile::pass::{Ended, Progress};

    #[test]
    fn the_report_is_about_the_pass_under_way_or_else_about_the_last() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let counts = |failed| Counts {
            failed,
            ..Counts::default()
        };
        let mut row = ReconcileRow::default();
        let report = serde_json::to_value(Report::of(&row, State::UnderWay, 12)).unwrap();
        assert_eq!(
            (&report["state"], &report["sample"]),
            (&"under_way".into(), &12.into())
        );
        assert_eq!(report.get("started_at"), None);
        row.progress = Progress {
            under_way: None,
            last: Some(Ended {
                number: 0,
                undecided: false,
                started_at: at(0),
                ended_at: at(1),
                counts: counts(1),
            }),
        };
        let report = serde_json::to_value(Report::of(&row, State::NotDue, 12)).unwrap();
        assert_eq!(
            (&report["state"], &report["failed"]),
            (&"not_due".into(), &1.into())
        );
        row.progress.under_way = Some(Pass {
            number: 1,
            sketch: None,
            started_at: at(2),
            place: PageStart::START,
            counts: counts(2),
        });
        let report = Report::of(&row, State::UnderWay, 12);
        assert_eq!((report.started_at, report.counts), (Some(at(2)), counts(2)));
    }
}
