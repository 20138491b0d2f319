//! Blobs without files are marked, and twenty minutes later reclaimed.
//!
//! Three things go on at the same time, and none waits for the slowest of another: due blobs are read, a page at a time; each
//! is checked, and its objects at targets are removed; those of which nothing is left there are deleted, as many together
//! as there are.

use super::Sweep;
use crate::configured_targets::Targets;
use crate::sweep::lane::{Lane, received};
use crate::sweep::reclaim::reclaim;
use crate::sweep::report::Done;
use crate::unreachable::UnreachableTargets;
use domain::blob::{BlobEvent, Effect};
use futures::{StreamExt, stream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::blobs::BlobItems;
use store::rows::{BlobRow, ReplicaRow};
use store::table::Row;
use store::{Environment, ErrorKind, StoreError};
use targets::ReplicaError;
use tokio::sync::{OnceCell, Semaphore, mpsc};

/// How many are in memory between being read and being deleted: those at a target that hangs do not stop the others.
const IN_HAND: usize = 512;
/// How many are checked at once.
const EXAMINED: usize = 48;
/// How many are deleted together at most.
const TOGETHER: usize = 100;
/// How many such deletions are under way.
const DELETIONS: usize = 4;
/// How much is removed at one target at once.
const AT_A_TARGET: usize = 32;

impl Sweep {
    /// Looks at all due blobs.
    pub(crate) async fn blobs(&self, lane: &Lane<'_>) {
        let (give, take) = mpsc::channel(IN_HAND);
        let (give_empty, take_empty) = mpsc::channel(TOGETHER);
        let places = ReclaimTargets::new(&self.environment);
        let reading = async {
            let give = give;
            lane.read(async |keys| match self.table().blobs().at(keys).await {
                Ok(blobs) => {
                    for blob in blobs {
                        match blob {
                            Ok(blob) => drop(give.send(blob).await),
                            Err((key, error)) => lane.note(&key, Err(error.into())).await,
                        }
                    }
                }
                Err(error) => lane.note_failure(&error),
            })
            .await;
        };
        let examined = Semaphore::new(EXAMINED);
        let (examined, places) = (&examined, &places);
        let examining = async {
            let give_empty = give_empty;
            let give_empty = &give_empty;
            let examine = async |blob: BlobRow| {
                if lane.is_over() {
                    return;
                }
                let key = blob.key();
                match self.examine(blob, examined, places).await {
                    Ok(Examined::Empty(remains)) => drop(give_empty.send(*remains).await),
                    Ok(Examined::Done(done)) => lane.note(&key, Ok(done)).await,
                    Err(error) => lane.note(&key, Err(error)).await,
                }
            };
            received(take).for_each_concurrent(IN_HAND, examine).await;
        };
        let deleting = together(take_empty).for_each_concurrent(DELETIONS, async |remains| {
            for (key, ended) in reclaim(self.table(), self.objects(), remains).await {
                let done = ended.map(|()| Done::Reclaimed).map_err(ReplicaError::from);
                lane.note(&key, done).await;
            }
        });
        tokio::join!(reading, examining, deleting);
    }

    async fn examine(
        &self,
        blob: BlobRow,
        examined: &Semaphore,
        places: &ReclaimTargets<'_>,
    ) -> Result<Examined, ReplicaError> {
        let permit = examined.acquire().await;
        let effects = match self
            .table()
            .blobs()
            .transition(&blob, BlobEvent::Examine, self.table().now())
            .await
        {
            Ok(Ok(effects)) => effects,
            // It is not due, or it was revived at the last moment.
            Ok(Err(_))
            | Err(StoreError {
                kind: ErrorKind::Conflict(_),
                ..
            }) => return Ok(Examined::Done(Done::Nothing)),
            Err(error) => return Err(error.into()),
        };
        if !effects.contains(&Effect::Delete) {
            let marked = effects.contains(&Effect::FreeContent);
            return Ok(Examined::Done(if marked { Done::Marked } else { Done::Nothing }));
        }
        let remains = self.table().blobs().remains(blob).await?;
        drop(permit);
        for replica in &remains.replicas {
            places.remove(replica).await?;
        }
        Ok(Examined::Empty(Box::new(remains)))
    }
}

/// The result of checking a blob.
enum Examined {
    Done(Done),
    /// No target has anything of it any more.
    Empty(Box<BlobItems>),
}

/// The items of a channel, as many at a time as there are.
fn together<T>(mut take: mpsc::Receiver<T>) -> impl futures::Stream<Item = Vec<T>> {
    stream::poll_fn(move |context| {
        let mut all = Vec::new();
        take.poll_recv_many(context, &mut all, TOGETHER)
            .map(|count| (count > 0).then_some(all))
    })
}

/// The targets, read once a run, and those among them that do not answer: they are not asked again in this run.
struct ReclaimTargets<'a> {
    environment: &'a Environment,
    targets: OnceCell<Targets>,
    unreachable: UnreachableTargets,
    /// Each target has places of its own: one that is slow does not take those of others.
    free: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl<'a> ReclaimTargets<'a> {
    fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            targets: OnceCell::new(),
            unreachable: UnreachableTargets::default(),
            free: Mutex::default(),
        }
    }

    /// Removes what a replica has at its target: multipart uploads under way, and the object.
    async fn remove(&self, replica: &ReplicaRow) -> Result<(), ReplicaError> {
        let place = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let place = free.entry(replica.target.clone());
            Arc::clone(place.or_insert_with(|| Arc::new(Semaphore::new(AT_A_TARGET))))
        };
        // Before the check whether the target answers: that may change while this waits for a slot.
        let _mine = place.acquire().await;
        let remove = async {
            let targets = self
                .targets
                .get_or_try_init(|| Targets::from_env(self.environment))
                .await?;
            targets.remove(replica).await
        };
        self.unreachable.ask(&replica.target, remove).await
    }
}
