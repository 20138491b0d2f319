//! One class of due items: one run at a time works on it, on many items at once.
//!
//! The schedule starts a run each minute, and one with much to do takes longer than that: a lease for each class keeps the
//! others away from it, and leaves them the classes that it is not working on.

use crate::sweep::report::{Done, Report};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::table::{Class, DueCursor, Key};
use store::{StoreError, Table};
use targets::ReplicaError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// How long a lease is, unless its holder renews it: when it is killed, the next run but one goes on.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often the holder renews it.
const KEEP_EVERY: Duration = Duration::from_secs(15);
/// How many partitions of the index are asked at once.
const QUERIES: usize = 16;
/// When an item that failed is due again.
const POSTPONE: SignedDuration = SignedDuration::from_mins(5);
/// The same when the reason is a target: nobody waits, and there may be very many.
const POSTPONE_FOR_TARGET: SignedDuration = SignedDuration::from_hours(1);
/// How long one item that may be any amount of work is worked on in one sweep: others are waiting, too.
const FOR_ONE: Duration = Duration::from_secs(20);
/// When an item that is not done then is due again.
const COME_BACK_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Nothing is begun this long before the invocation ends.
const RESERVE: Duration = Duration::from_secs(20);
/// What is still under way is given up this long before the invocation ends.
const ABORT_RESERVE: Duration = Duration::from_secs(5);

/// How much time of an invocation is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) deadline: Instant,
}

impl Time {
    fn until_but(self, reserve: Duration) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.saturating_sub(reserve)
    }

    /// In which something may be begun.
    pub(crate) fn left(self) -> Duration {
        self.until_but(RESERVE)
    }
}

/// A class of due items that this run has for itself.
pub(crate) struct Lane<'a> {
    table: &'a Table,
    class: Class,
    /// Until when something is due that this run looks at.
    now: Timestamp,
    pub(crate) time: Time,
    /// Nothing else is begun.
    stopped: AtomicBool,
    report: Mutex<Report>,
    /// Why the index could not be read.
    error: Mutex<Option<StoreError>>,
}

/// Has `work` do all that is due of a class, unless another run holds its lease. Returns the result.
///
/// # Errors
/// [`StoreError`] when what is due cannot be read. What could be was worked on.
pub(crate) async fn drain(
    table: &Table,
    class: Class,
    time: Time,
    work: impl AsyncFnOnce(&Lane<'_>),
) -> Result<Report, StoreError> {
    let holder: String = table.rng.id();
    if !table
        .leases()
        .take(class.name(), &holder, table.now(), table.from_now(LEASE))
        .await?
    {
        return Ok(Report::elsewhere());
    }
    let lane = Lane {
        table,
        class,
        now: table.now(),
        time,
        stopped: AtomicBool::new(false),
        report: Mutex::default(),
        error: Mutex::default(),
    };
    let at_work = tokio::time::timeout(time.until_but(ABORT_RESERVE), work(&lane));
    let ended = tokio::select! {
        ended = at_work => ended.is_ok(),
        never = lane.keep(&holder) => match never {},
    };
    if !ended {
        tracing::warn!(class = class.name(), "unfinished items are left to a later sweep");
    }
    if let Err(error) = table.leases().free(class.name(), &holder).await {
        tracing::warn!(
            class = class.name(),
            error = error.for_log(),
            "the lease could not be released; it will run out"
        );
    }
    match lock(&lane.error).take() {
        Some(error) => Err(error),
        None => Ok(std::mem::take(&mut lock(&lane.report))),
    }
}

impl Lane<'_> {
    /// Renews the lease again and again; when another run has it, lets nothing else begin.
    async fn keep(&self, holder: &str) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(KEEP_EVERY).await;
            match self
                .table
                .leases()
                .keep(self.class.name(), holder, self.table.from_now(LEASE))
                .await
            {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(class = self.class.name(), "another run has taken the lease");
                    self.stopped.store(true, Ordering::Relaxed);
                }
                Err(error) => tracing::warn!(error = error.for_log(), "the lease was not renewed"),
            }
        }
    }

    /// Whether nothing else may begin.
    pub(crate) fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.time.left().is_zero()
    }

    /// Whether there is time to go on with one item that may be any amount of work, and is begun now.
    pub(crate) fn time_for_one(&self) -> impl Fn() -> bool + use<> {
        let (began, time) = (Instant::now(), self.time.left().min(FOR_ONE));
        move || began.elapsed() < time
    }

    /// There is more to do for an item: it is due again soon.
    pub(crate) async fn come_back(&self, key: &Key) -> Result<(), StoreError> {
        let again = self.table.from_now(COME_BACK_AFTER);
        self.table.postpone(key, again).await
    }

    /// Reads the keys of all that is due, page by page, and hands each page on. What is due is read once: what could not be
    /// done is not tried again in this run.
    pub(crate) async fn read(&self, page: impl AsyncFn(Vec<Key>)) {
        let (queries, page) = (&Semaphore::new(QUERIES), &page);
        let shard = async |shard: String| -> Result<(), StoreError> {
            let mut after: Option<DueCursor> = None;
            loop {
                let permit = queries.acquire().await;
                if self.is_over() {
                    return Ok(());
                }
                let (keys, next) = self.table.due(&shard, self.now, after).await?;
                drop(permit);
                if !keys.is_empty() {
                    page(keys).await;
                }
                after = next;
                if after.is_none() {
                    return Ok(());
                }
            }
        };
        let shard = &shard;
        stream::iter(self.class.shards())
            .for_each_concurrent(None, async |name| {
                if let Err(error) = shard(name).await {
                    tracing::error!(
                        class = self.class.name(),
                        error = error.for_log(),
                        "due items cannot be read"
                    );
                    lock(&self.error).get_or_insert(error);
                }
            })
            .await;
    }

    /// Does something for each due item, `at_once` at a time.
    pub(crate) async fn each(&self, at_once: usize, item: impl AsyncFn(&Key) -> Result<Done, ReplicaError>) {
        let (give, take) = mpsc::channel(at_once);
        let read = async {
            // Those that wait for an item end when this does.
            let give = give;
            self.read(async |keys| {
                for key in keys {
                    drop(give.send(key).await);
                }
            })
            .await;
        };
        let item = &item;
        let work = received(take).for_each_concurrent(at_once, async |key: Key| {
            if !self.is_over() {
                let done = item(&key).await;
                self.note(&key, done).await;
            }
        });
        tokio::join!(read, work);
    }

    /// Counts what was done for an item. One that failed is postponed, and does not keep the others waiting.
    pub(crate) async fn note(&self, key: &Key, done: Result<Done, ReplicaError>) {
        let error = match done {
            Ok(done) => return lock(&self.report).count(done),
            Err(error) => error,
        };
        *lock(&self.report) += Report::failure();
        tracing::error!(
            pk = key.pk,
            sk = key.sk,
            error = error.for_log(),
            "left to a later sweep"
        );
        let wait = match error {
            ReplicaError::Store(_) => POSTPONE,
            _ => POSTPONE_FOR_TARGET,
        };
        if let Err(error) = self.table.postpone(key, self.table.from_now(wait)).await {
            tracing::warn!(
                pk = key.pk,
                sk = key.sk,
                error = error.for_log(),
                "the item could not be postponed"
            );
        }
    }

    /// A failure that concerns many items. They stay due.
    pub(crate) fn note_failure(&self, error: &StoreError) {
        *lock(&self.report) += Report::failure();
        tracing::error!(
            class = self.class.name(),
            error = error.for_log(),
            "left to a later sweep"
        );
    }
}

/// The items of a channel. Each side goes on while the other waits for an answer.
pub(crate) fn received<T>(mut take: mpsc::Receiver<T>) -> impl futures::Stream<Item = T> {
    stream::poll_fn(move |context| take.poll_recv(context))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
