//! Replicas that wait at a target without a message, because it is left alone, and get one when it takes more.

use domain::circuit::OUTAGE;
use domain::id::BlobId;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use store::rows::{ReplicaRow, WaitingFor};
use store::table::Key;
use store::{StartQueue, StoreError, Table};

/// How many of the replicas that wait longest have messages at a time, in each partition of the index: all together about
/// what some hundred workers take at once.
const WINDOW: u32 = 250;
/// How many are read at a time.
const READ: usize = 100;
/// How many are written at a time.
const AT_ONCE: usize = 16;
/// Of how many that wait longest one is the probe, in one partition of the index.
const PROBES: u32 = 25;

/// What came of looking for replicas without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fed {
    /// How many got one.
    pub sent: usize,
    /// How many could not be read.
    pub unreadable: usize,
    /// Others wait behind those that were looked at.
    pub more: bool,
}

/// What is sent for a replica. One that is copied in segments has as many attempts as all their messages together had, which
/// says nothing about the next message; it counts all the same when nothing has helped for very long.
fn message(replica: &ReplicaRow, now: Timestamp) -> (BlobId, u32) {
    let says_nothing = replica.multipart_id.is_some() && now.duration_since(replica.since) < OUTAGE;
    (
        replica.blob.clone(),
        if says_nothing { 0 } else { replica.attempts },
    )
}

/// Gives a message to each of those replicas that wait longest and have none. Those that have one count as well: so no
/// more are under way than the target is done with.
///
/// # Errors
/// [`StoreError`]; some may have got a message.
pub async fn feed(
    table: &Table,
    queue: &StartQueue,
    target: &str,
    now: Timestamp,
) -> Result<Fed, StoreError> {
    let (mut waiting, mut more) = (Vec::new(), false);
    for shard in WaitingFor::Bytes.shards(target) {
        let found = table.waiting(&shard, WINDOW).await?;
        more |= found.len() >= WINDOW as usize;
        waiting.extend(found);
    }
    waiting.sort_by_key(|(_, since)| *since);
    let mut fed = Fed {
        more,
        ..Fed::default()
    };
    for chunk in waiting.chunks(READ) {
        let keys = chunk.iter().map(|(key, _)| key.clone());
        let (parked, unreadable) = table.replicas().parked(keys).await?;
        fed.unreadable += unreadable;
        // In this order: of those who look at the same moment one sends the message. When that one is killed before it
        // does, the sweep sends it twenty minutes later, as it does when any message is lost.
        let claimed = stream::iter(parked)
            .map(async |replica| Ok(table.replicas().unpark(&replica, now).await?.then_some(replica)))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<Result<_, StoreError>>>()
            .await;
        let (mut messages, mut failed) = (Vec::new(), None);
        for claimed in claimed {
            match claimed {
                Ok(replica) => messages.extend(replica.map(|replica| message(&replica, now))),
                Err(error) => failed = Some(error),
            }
        }
        queue.resume(target, &messages, SignedDuration::ZERO).await?;
        fed.sent += messages.len();
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(fed)
}

/// Sends a message for one of those replicas that wait longest: the worker that gets it is the probe. Which
/// one is left to chance, so that none that the target will never take keeps it from being asked for others.
/// Returns whether any waits.
///
/// # Errors
/// [`StoreError`].
pub async fn send_probe(
    table: &Table,
    queue: &StartQueue,
    target: &str,
    delay: SignedDuration,
) -> Result<bool, StoreError> {
    let mut shards: Vec<String> = WaitingFor::Bytes.shards(target).collect();
    table.rng.shuffle(&mut shards);
    for shard in shards {
        let waiting = table.waiting(&shard, PROBES).await?;
        let keys: Vec<Key> = waiting.into_iter().map(|(key, _)| key).collect();
        let (rows, _) = table.replicas().under_way(keys).await?;
        if let Some(replica) = table.rng.choose(&rows) {
            queue
                .resume(target, &[message(replica, table.now())], delay)
                .await?;
            return Ok(true);
        }
    }
    Ok(false)
}
