//! Replicas and their segments.
//!
//! A replica changes its state as [`domain::replica::step`] says, in one transaction with the
//! [`ReplicaCounters`] of its target: whatever crashes, the counters are how many replicas there are in each
//! state. (That one has begun to be copied changes nothing there.)

pub mod arriving;
mod multipart;
mod parking;
mod reading;
mod removing;

use crate::error::{Conflict, StoreError};
use crate::rows::{BlobRow, ReplicaCountersRow, ReplicaRow, blob_partition, waiting_for, waiting_shard};
use crate::table::{Change, Key, Row, Rows, Table, Waiting, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::BlobId;
use domain::replica::{ReplicaCounters, ReplicaEvent, STALLED_AFTER, State, step};
use domain::targets::registry::Member;
use domain::time::saturating_add;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// How much of the reason of a failure is kept, in characters.
const MAX_REASON: usize = 500;
/// How often a change is tried that others were faster with.
const REPLICA_ATTEMPTS: u32 = 5;

/// The writes that bring a pending replica into being at each target.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed.
pub fn create(
    blob: &BlobRow,
    targets: &[Member],
    conflict: Conflict,
    now: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for target in targets {
        let replica = ReplicaRow::pending(&blob.id, blob.size, target, now);
        writes.push(Write::create(&replica, conflict)?);
        let counters = ReplicaCounters::moved(None, Some(replica.state), blob.size);
        writes.push(count(
            &ReplicaCountersRow::key_of(&target.name, &blob.id),
            counters,
        )?);
    }
    Ok(writes)
}

/// The write that changes counters.
fn count(key: &Key, counters: ReplicaCounters) -> Result<Write, StoreError> {
    let mut numbers = counters.numbers().to_vec();
    numbers.retain(|(_, number)| *number != 0);
    Write::add(key, &numbers, Conflict::ReplicaChanged)
}

/// The change that takes a replica to another state, if it is unchanged since it was read: in the same state, waiting for the
/// same bytes. `set` and `remove` come on top.
fn moved(replica: &ReplicaRow, to: State, set: &str, remove: &str, now: Timestamp) -> Change {
    let mut set = format!("SET #state = :to, updated_at = :now{set}");
    let mut remove = remove.to_owned();
    let waiting = waiting_for(to);
    if waiting.is_some() {
        set += ", waiting_shard = :waiting_shard, waiting_since = :waiting_since";
    } else {
        remove += ", waiting_shard, waiting_since";
    }
    let is_due = matches!(to, State::Pending | State::Copying);
    if is_due {
        set += ", due_shard = :due_shard, due_at = :due_at";
    } else {
        remove += ", due_shard, due_at";
    }
    let update = match remove.trim_start_matches(", ") {
        "" => set,
        names => format!("{set} REMOVE {names}"),
    };
    let mut condition = "#state = :from AND since = :since".to_owned();
    if replica.state == State::Failed && is_due {
        // With a multipart upload it goes on in another state than without.
        condition += match &replica.multipart_id {
            Some(_) => " AND attribute_exists(multipart_id)",
            None => " AND attribute_not_exists(multipart_id)",
        };
    }
    let mut change = Change::new(replica.key(), &update, &condition)
        .with(":to", state(to))
        .with(":from", state(replica.state))
        .with(":since", text(&replica.since))
        .with(":now", text(&now));
    if let Some(what) = waiting {
        // One that lost its bytes waits from now on.
        let again = to == State::Pending && replica.state == State::Available;
        change = change.waiting(Waiting {
            shard: waiting_shard(&replica.target, what, &replica.blob),
            since: if again { now } else { replica.since },
        });
    }
    if is_due {
        change = change.due(stalled(now));
    }
    change
}

fn counters_of(replica: &ReplicaRow, to: Option<State>) -> ReplicaCounters {
    ReplicaCounters::moved(Some(replica.state), to, replica.size)
}

/// When the sweep looks at a replica about which nothing was heard since.
fn stalled(now: Timestamp) -> Timestamp {
    saturating_add(now, STALLED_AFTER)
}

fn short(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}

fn state(state: State) -> AttributeValue {
    let name = match state {
        State::Pending => "pending",
        State::Copying => "copying",
        State::Available => "available",
        State::Failed => "failed",
    };
    text(name)
}

/// Replicas and their segments.
#[derive(Clone, Copy)]
pub struct Replicas<'a>(pub(crate) &'a Table);

impl Table {
    /// Replicas and their segments.
    #[must_use]
    pub fn replicas(&self) -> Replicas<'_> {
        Replicas(self)
    }
}

impl Replicas<'_> {
    /// Brings the replicas of a blob into being that are missing at these targets, unless it is being
    /// reclaimed. Returns the names of the targets that got one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add(
        self,
        blob: &BlobId,
        targets: &[Member],
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let Some(row) = self.0.blobs().get(blob).await?.filter(|row| !row.reclaiming) else {
            return Ok(Vec::new());
        };
        // What cannot be read is there as well.
        let there: Rows<ReplicaRow> = self.0.all(&blob_partition(blob), ReplicaRow::PREFIX).await?;
        let there: BTreeSet<_> = there.rows.iter().map(Row::key).chain(there.unreadable).collect();
        let mut made = Vec::new();
        for target in targets {
            if there.contains(&ReplicaRow::key_of(blob, &target.name)) {
                continue;
            }
            let not_reclaiming = HashMap::from([(":no".to_owned(), AttributeValue::Bool(false))]);
            let mut writes = vec![Write::condition_check(
                &row.key(),
                "reclaiming = :no",
                not_reclaiming,
                Conflict::BlobGone,
            )?];
            let target = std::slice::from_ref(target);
            writes.extend(create(&row, target, Conflict::ReplicaChanged, now)?);
            match self.0.transact(writes).await {
                Ok(()) => made.extend(target.iter().map(|member| member.name.clone())),
                // Somebody else made it.
                Err(error) if error.conflict() == Some(Conflict::ReplicaChanged) => {}
                Err(error) if error.is_conflict() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(made)
    }

    /// Moves a replica on, in one transaction with its target's replica counters. When others were faster,
    /// looks again whether the event still applies. Returns whether it did.
    async fn move_replica(
        self,
        replica: &ReplicaRow,
        event: ReplicaEvent,
        copied: u64,
        change: impl Fn(&ReplicaRow, State) -> Change,
    ) -> Result<bool, StoreError> {
        let mut read = Some(replica.clone());
        for _ in 0..REPLICA_ATTEMPTS {
            let Some(replica) = &read else { return Ok(false) };
            let Some(to) = step(replica.state, event, replica.multipart_id.is_some()) else {
                return Ok(false);
            };
            let counters = counters_of(replica, Some(to)).copied(copied);
            let writes = vec![
                Write::update(&change(replica, to), Conflict::ReplicaChanged)?,
                count(
                    &ReplicaCountersRow::key_of(&replica.target, &replica.blob),
                    counters,
                )?,
            ];
            match self.0.transact(writes).await {
                Ok(()) => return Ok(true),
                Err(error) if error.is_conflict() => {
                    let since = replica.since;
                    read = self.get(&replica.blob, &replica.target).await?;
                    // It has lost its bytes meanwhile: what happened is not about those that it waits for now.
                    read = read.filter(|read| read.since == since);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Conflict::ReplicaChanged.into())
    }

    /// An attempt failed; there will be others.
    ///
    /// # Errors
    /// [`StoreError`]; that it became available meanwhile is none.
    pub async fn note_failure(
        self,
        blob: &BlobId,
        target: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            ReplicaRow::key_of(blob, target),
            "SET attempts = attempts + :one, last_error = :reason, updated_at = :now",
            "attribute_exists(pk) AND #state <> :available",
        );
        let change = change
            .with(":available", state(State::Available))
            .with(":one", number(1))
            .with(":reason", text(&short(reason)))
            .with(":now", text(&now));
        self.0.update_if(change).await?;
        Ok(())
    }

    /// An attempt failed, and there will be no others until somebody asks for them. Returns whether the
    /// replica is failed then: it may have become available meanwhile, or be gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(
        self,
        blob: &BlobId,
        target: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(replica) = self.get(blob, target).await? else {
            return Ok(false);
        };
        let change = |replica: &ReplicaRow, to| {
            let set = ", attempts = attempts + :one, last_error = :reason";
            moved(replica, to, set, "", now)
                .with(":one", number(1))
                .with(":reason", text(&short(reason)))
        };
        if self
            .move_replica(&replica, ReplicaEvent::GiveUp, 0, change)
            .await?
        {
            return Ok(true);
        }
        // It has failed before, or arrived by another way.
        self.note_failure(blob, target, reason, now).await?;
        let replica = self.get(blob, target).await?;
        Ok(replica.is_some_and(|replica| replica.state == State::Failed))
    }

    /// The dead letter of a failed replica is sent: no later worker need send another one. Nothing may have
    /// happened to it since it was read: it may have been tried again, and have failed again, and the letter
    /// is about the first time.
    ///
    /// # Errors
    /// [`StoreError`]; that something has happened is none.
    pub async fn note_dead_letter(self, replica: &ReplicaRow) -> Result<(), StoreError> {
        let same = "#state = :failed AND updated_at = :read";
        let change = Change::new(replica.key(), "SET dead_lettered = :yes", same)
            .with(":yes", AttributeValue::Bool(true))
            .with(":read", text(&replica.updated_at))
            .with(":failed", state(State::Failed));
        self.0.update_if(change).await?;
        Ok(())
    }

    /// A failed replica is to be tried again. Returns whether it was failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redrive(self, replica: &ReplicaRow, now: Timestamp) -> Result<bool, StoreError> {
        self.move_replica(replica, ReplicaEvent::Redrive, 0, |replica, to| {
            moved(
                replica,
                to,
                ", attempts = :none",
                ", restarts, dead_lettered",
                now,
            )
            .with(":none", number(0))
        })
        .await
    }

    /// The target of an available replica does not have it any more: it waits for its bytes again. Returns
    /// whether it was available.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lose(self, replica: &ReplicaRow, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.move_replica(replica, ReplicaEvent::Lose, 0, |replica, to| {
            let set = ", since = :now, bytes_done = :none, segments_done = :none, last_error = :reason";
            moved(
                replica,
                to,
                set,
                ", multipart_id, available_at, checksum, restarts",
                now,
            )
            .with(":none", number(0))
            .with(":reason", text(&short(reason)))
        })
        .await
    }
}

/// The writes that count what happens to many replicas at once. Those of one target are counted in one part
/// of its counters: transactions that change the same rows at the same moment are refused, and only the sum
/// counts.
fn count_together<'a>(
    changes: impl Iterator<Item = (&'a ReplicaRow, ReplicaCounters)>,
) -> Result<Vec<Write>, StoreError> {
    let mut all_counters: HashMap<&str, (Key, ReplicaCounters)> = HashMap::new();
    for (replica, change) in changes {
        let (_, counters) = all_counters.entry(&replica.target).or_insert_with(|| {
            let key = ReplicaCountersRow::key_of(&replica.target, &replica.blob);
            (key, ReplicaCounters::default())
        });
        *counters += change;
    }
    all_counters
        .into_values()
        .map(|(key, counters)| count(&key, counters))
        .collect()
}
