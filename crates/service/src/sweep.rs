//! Does what is due: expires uploads, takes over stale
//! finalizes, discards what ended uploads left, sends lost replication messages again, reclaims blobs, removes what deleted
//! accounts have and what has been in the trash for long enough.
//!
//! | module | what is in it |
//! |---|---|
//! | `targets` | each minute, whatever other runs do: publishes the targets, and measures their state |
//! | `feed` | each minute, too: messages for replicas that wait without one, probes for open circuits |
//! | `lane` | a class of due items: its lease, reading it, many items at once |
//! | `transfers`, `blobs`, `accounts`, `trash` | the classes |

mod accounts;
mod blobs;
mod feed;
mod lane;
mod reclaim;
pub mod report;
mod targets;
mod transfers;
mod trash;

use crate::upload::complete::Finalizer;
use ::targets::ReplicaError;
use lane::{Time, drain};
use report::Report;
use std::time::Duration;
use store::table::Class;
use store::{Environment, Objects, StoreError, Table};
use tokio::time::Instant;

/// How long replicas are fed to targets in one sweep: the next one goes on.
const FEEDING: Duration = Duration::from_secs(40);

/// One sweep after the other, with the table, the bucket and the queues.
pub struct Sweep {
    pub(crate) environment: Environment,
    pub(crate) finalizer: Finalizer,
    pub(crate) namespace: Option<String>,
    pub(crate) trash_days: u64,
}

impl Sweep {
    /// As the environment configures it.
    ///
    /// # Errors
    /// `ErrorKind::Misconfigured` when a variable is missing.
    pub fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        let finalizer = Finalizer::from_env(environment)?;
        let namespace = environment.optional("METRICS_NAMESPACE").map(str::to_owned);
        Ok(Self {
            environment: environment.clone(),
            finalizer,
            namespace,
            trash_days: environment.number("TRASH_DAYS")?,
        })
    }

    pub(crate) fn table(&self) -> &Table {
        &self.finalizer.table
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.finalizer.objects
    }

    /// All classes at the same time: each has its own share of what is done at once, so none keeps another waiting. A new
    /// table gets its format before.
    ///
    /// # Errors
    /// [`ReplicaError`] when a class could not be worked on; the others are. Nothing is done in a table of another format.
    pub async fn run(&self, deadline: Instant) -> Result<Report, ReplicaError> {
        let (table, time, began) = (self.table(), Time { deadline }, Instant::now());
        table.mark_if_new().await?;
        let (mut report, fed, transfers, blobs, accounts, trash) = tokio::join!(
            Box::pin(self.targets()),
            Box::pin(feed::run(table, &self.finalizer.queue, || began.elapsed() < FEEDING)),
            Box::pin(drain(table, Class::Transfers, time, async |lane| {
                self.transfers(lane).await;
            })),
            Box::pin(drain(table, Class::Blobs, time, async |lane| {
                self.blobs(lane).await;
            })),
            Box::pin(drain(table, Class::Accounts, time, async |lane| {
                self.accounts(lane).await;
            })),
            Box::pin(drain(table, Class::Trash, time, async |lane| {
                self.trash(lane).await;
            })),
        );
        report.count_fed(&fed);
        let mut error = None;
        for part in [transfers, blobs, accounts, trash] {
            match part {
                Ok(part) => report += part,
                Err(failure) => error = error.or(Some(failure)),
            }
        }
        report.skipped = table.take_unreadable();
        tracing::info!(?report, "swept");
        match error {
            Some(error) => Err(error.into()),
            None => Ok(report),
        }
    }
}
