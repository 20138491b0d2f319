//! Replicas and their segments.
//!
//! A replica changes its state as [`domain::replica::step`] says, in one transaction with the [`Tally`] of its target:
//! whatever crashes, the tally is how many replicas there are in each state.

use crate::error::{Conflict, StoreError};
use crate::rows::{
    BlobRow, LedgerRow, ReplicaRow, SegmentRow, TallyRow, blob_partition, waiting_for, waiting_shard,
};
use crate::table::{Change, Item, Key, Row, Table, Waiting, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::content::PartDigest;
use domain::id::BlobId;
use domain::replica::{Event, STALLED_AFTER, State, Tally, step};
use domain::targets::roster::Member;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// How much of the reason of a failure is kept, in characters.
const MAX_REASON: usize = 500;
/// How often a change is tried that others were faster with.
const ATTEMPTS: u32 = 5;
/// How many arrivals one transaction takes: with the tallies less than the hundred writes that it may have.
pub const ARRIVALS: usize = 45;

/// A replica whose bytes are at the target, verified.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The replica as it was read.
    pub replica: ReplicaRow,
    /// The object's key at the target.
    pub key: String,
    /// The target's checksum of it.
    pub checksum: String,
    /// How many of its bytes were not counted as copied yet.
    pub copied: u64,
}

/// The writes that bring a pending replica into being at each target.
///
/// # Errors
/// [`StoreError::Corrupt`] when a write is malformed.
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
        let tally = Tally::moved(None, Some(replica.state), blob.size);
        writes.push(count(&TallyRow::key_of(&target.name, &blob.id), tally)?);
    }
    Ok(writes)
}

/// The write that changes a tally.
fn count(key: &Key, tally: Tally) -> Result<Write, StoreError> {
    let mut numbers = tally.numbers().to_vec();
    numbers.retain(|(_, number)| *number != 0);
    Write::add(key, &numbers, Conflict::ReplicaChanged)
}

/// The change that takes a replica to another state, if it still is what was read: in the same state, waiting for the
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
        change = change.due(later(now));
    }
    change
}

/// The change of an arrival.
fn arrived(arrival: &Arrival, now: Timestamp) -> Change {
    let replica = &arrival.replica;
    let set = ", #key = :key, checksum = :checksum, bytes_done = :size, available_at = :now";
    moved(
        replica,
        State::Available,
        set,
        ", multipart_id, last_error, buried",
        now,
    )
    .with(":key", text(&arrival.key))
    .with(":checksum", text(&arrival.checksum))
    .with(":size", number(replica.size))
}

fn tally_of(replica: &ReplicaRow, to: Option<State>) -> Tally {
    Tally::moved(Some(replica.state), to, replica.size)
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(STALLED_AFTER).unwrap_or(Timestamp::MAX)
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

impl Table {
    /// All replicas of a blob.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn replicas(&self, blob: &BlobId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.all(&blob_partition(blob), ReplicaRow::PREFIX).await
    }

    /// One replica of a blob.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn replica(&self, blob: &BlobId, target: &str) -> Result<Option<ReplicaRow>, StoreError> {
        self.get(&ReplicaRow::key_of(blob, target)).await
    }

    /// At most fifty blobs by id, with the replicas of each at these targets: what a batch of messages is about.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn jobs(
        &self,
        subjects: &[(BlobId, String)],
    ) -> Result<HashMap<(BlobId, String), (BlobRow, ReplicaRow)>, StoreError> {
        let mut blobs: Vec<Key> = subjects.iter().map(|(blob, _)| BlobRow::key_of(blob)).collect();
        blobs.sort_by(|a, b| a.pk.cmp(&b.pk));
        blobs.dedup();
        let mut replicas: Vec<Key> = subjects
            .iter()
            .map(|(blob, target)| ReplicaRow::key_of(blob, target))
            .collect();
        replicas.sort_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
        replicas.dedup();
        let blobs: Vec<BlobRow> = self.get_many(&blobs).await?;
        let replicas: Vec<ReplicaRow> = self.get_many(&replicas).await?;
        let blobs: HashMap<BlobId, BlobRow> = blobs.into_iter().map(|row| (row.id.clone(), row)).collect();
        let job = |replica: ReplicaRow| {
            let blob = blobs.get(&replica.blob)?.clone();
            Some(((replica.blob.clone(), replica.target.clone()), (blob, replica)))
        };
        Ok(replicas.into_iter().filter_map(job).collect())
    }

    /// The digests of those among at most a hundred blobs of one part whose ledgers are there.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn only_digests(&self, blobs: &[BlobId]) -> Result<HashMap<BlobId, PartDigest>, StoreError> {
        let mut keys: Vec<Key> = blobs.iter().map(|blob| LedgerRow::key_of(blob, 0)).collect();
        keys.sort_by(|a, b| a.pk.cmp(&b.pk));
        keys.dedup();
        let pages: Vec<LedgerRow> = self.get_many(&keys).await?;
        let digest = |page: LedgerRow| Some((page.blob, page.digests.first().copied()?));
        Ok(pages.into_iter().filter_map(digest).collect())
    }

    /// Brings the replicas of a blob into being that are missing at these targets, unless it is being reclaimed. Gives the
    /// names of the targets that got one.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn add_replicas(
        &self,
        blob: &BlobId,
        targets: &[Member],
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let Some(row) = self.blob(blob).await?.filter(|row| !row.reclaiming) else {
            return Ok(Vec::new());
        };
        let there = self.replicas(blob).await?;
        let mut made = Vec::new();
        for target in targets {
            if there.iter().any(|replica| replica.target == target.name) {
                continue;
            }
            let not_reclaiming = HashMap::from([(":no".to_owned(), AttributeValue::Bool(false))]);
            let mut writes = vec![Write::holds(
                &row.key(),
                "reclaiming = :no",
                not_reclaiming,
                Conflict::BlobGone,
            )?];
            let target = std::slice::from_ref(target);
            writes.extend(create(&row, target, Conflict::ReplicaChanged, now)?);
            match self.transact(writes).await {
                Ok(()) => made.extend(target.iter().map(|member| member.name.clone())),
                // Somebody else made it.
                Err(StoreError::Conflict(Conflict::ReplicaChanged)) => {}
                Err(StoreError::Conflict(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(made)
    }

    /// Whether a segment is recorded for the multipart upload that is under way for a replica.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn has_segment(&self, replica: &ReplicaRow, segment: u32) -> Result<bool, StoreError> {
        let key = SegmentRow::key_of(&replica.blob, &replica.target, segment);
        let row: Option<SegmentRow> = self.get(&key).await?;
        Ok(row.is_some_and(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref()))
    }

    /// The segments recorded for the multipart upload that is under way for a replica, in order.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn segments(&self, replica: &ReplicaRow) -> Result<Vec<SegmentRow>, StoreError> {
        let prefix = SegmentRow::prefix(&replica.target);
        let mut rows: Vec<SegmentRow> = self.all(&blob_partition(&replica.blob), &prefix).await?;
        rows.retain(|row| Some(&row.multipart_id) == replica.multipart_id.as_ref());
        Ok(rows)
    }

    /// Records the multipart upload at the target, unless somebody else recorded one.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`].
    pub async fn begin_copying(
        &self,
        replica: &ReplicaRow,
        multipart_id: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET #state = :copying, multipart_id = :multipart_id, #key = :key, bytes_done = :none, \
             segments_done = :none, updated_at = :now, due_shard = :due_shard, due_at = :due_at",
            "attribute_not_exists(multipart_id) AND #state IN (:pending, :copying) AND since = :since",
        );
        let change = change
            .with(":copying", state(State::Copying))
            .with(":pending", state(State::Pending))
            .with(":multipart_id", text(multipart_id))
            .with(":key", text(key))
            .with(":none", number(0))
            .with(":since", text(&replica.since))
            .with(":now", text(&now))
            .due(later(now));
        self.change(change, Conflict::ReplicaChanged).await
    }

    /// Forgets a multipart upload at the target that is not there any more. Segments that were recorded for it
    /// do not count for another one, which writes over them.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`] when another one is recorded by now.
    pub async fn forget_multipart(&self, replica: &ReplicaRow, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::new(
            replica.key(),
            "SET bytes_done = :none, segments_done = :none, updated_at = :now ADD restarts :one REMOVE multipart_id",
            "multipart_id = :multipart_id AND #state <> :available",
        );
        let multipart_id = replica.multipart_id.as_deref().unwrap_or_default();
        let change = change
            .with(":none", number(0))
            .with(":now", text(&now))
            .with(":available", state(State::Available))
            .with(":one", number(1))
            .with(":multipart_id", text(multipart_id));
        self.change(change, Conflict::ReplicaChanged).await
    }

    /// Records a segment, once: repeating it, or recording one of a forgotten multipart upload, is a
    /// [`Conflict::ReplicaChanged`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_segment(
        &self,
        replica: &ReplicaRow,
        segment: &SegmentRow,
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mine = HashMap::from([(":multipart_id".to_owned(), text(&segment.multipart_id))]);
        let fresh = "attribute_not_exists(pk) OR multipart_id <> :multipart_id";
        let mut progress = Change::new(
            replica.key(),
            "SET bytes_done = bytes_done + :bytes, segments_done = segments_done + :one, updated_at = :now, \
             due_shard = :due_shard, due_at = :due_at",
            "multipart_id = :multipart_id AND #state <> :available",
        )
        .due(later(now));
        if replica.state == State::Failed {
            // It stays so, and nobody sends messages for it; what others still do is kept for when it is tried again.
            progress = Change::new(
                replica.key(),
                "SET bytes_done = bytes_done + :bytes, segments_done = segments_done + :one, updated_at = :now",
                "multipart_id = :multipart_id AND #state = :failed",
            )
            .with(":failed", state(State::Failed));
        } else {
            progress = progress.with(":available", state(State::Available));
        }
        let progress = progress
            .with(":bytes", number(bytes))
            .with(":one", number(1))
            .with(":multipart_id", text(&segment.multipart_id))
            .with(":now", text(&now));
        let tally = TallyRow::key_of(&segment.target, &segment.blob);
        self.transact(vec![
            Write::put(segment, fresh, mine, Conflict::ReplicaChanged)?,
            Write::update(&progress, Conflict::ReplicaChanged)?,
            count(&tally, Tally::default().copied(bytes))?,
        ])
        .await
    }

    /// Moves a replica on, in one transaction with its target's tally. When others were faster, looks again whether the
    /// event still applies. Gives whether it did.
    async fn move_replica(
        &self,
        replica: &ReplicaRow,
        event: Event,
        copied: u64,
        change: impl Fn(&ReplicaRow, State) -> Change,
    ) -> Result<bool, StoreError> {
        let mut read = Some(replica.clone());
        for _ in 0..ATTEMPTS {
            let Some(replica) = &read else { return Ok(false) };
            let Some(to) = step(replica.state, event, replica.multipart_id.is_some()) else {
                return Ok(false);
            };
            let tally = tally_of(replica, Some(to)).copied(copied);
            let writes = vec![
                Write::update(&change(replica, to), Conflict::ReplicaChanged)?,
                count(&TallyRow::key_of(&replica.target, &replica.blob), tally)?,
            ];
            match self.transact(writes).await {
                Ok(()) => return Ok(true),
                Err(StoreError::Conflict(_)) => {
                    let since = replica.since;
                    read = self.replica(&replica.blob, &replica.target).await?;
                    // It has lost its bytes meanwhile: what happened is not about those that it waits for now.
                    read = read.filter(|read| read.since == since);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Conflict::ReplicaChanged.into())
    }

    /// Replicas are complete and verified. Many that came at the same time are written in few transactions.
    ///
    /// # Errors
    /// [`StoreError`]; that one was available already, or is gone, is none.
    pub async fn arrive(&self, mut arrivals: Vec<Arrival>, now: Timestamp) -> Result<(), StoreError> {
        // Repeated messages make several of one replica.
        let mut seen = HashSet::new();
        arrivals.retain(|arrival| seen.insert(arrival.replica.key()));
        for chunk in arrivals.chunks(ARRIVALS) {
            let written = match together(chunk, now) {
                Ok(writes) => self.transact(writes).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(()) => {}
                Err(StoreError::Conflict(_)) => {
                    for arrival in chunk {
                        self.arrive_alone(arrival, now).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        for arrival in arrivals
            .iter()
            .filter(|arrival| arrival.replica.multipart_id.is_some())
        {
            self.delete_segments(&arrival.replica.blob, &arrival.replica.target)
                .await?;
        }
        Ok(())
    }

    async fn arrive_alone(&self, arrival: &Arrival, now: Timestamp) -> Result<(), StoreError> {
        let change = |replica: &ReplicaRow, _| {
            let again = Arrival {
                replica: replica.clone(),
                ..arrival.clone()
            };
            arrived(&again, now)
        };
        self.move_replica(&arrival.replica, Event::Arrive, arrival.copied, change)
            .await?;
        Ok(())
    }

    /// An attempt failed; there will be others.
    ///
    /// # Errors
    /// [`StoreError`]; that it became available meanwhile is none.
    pub async fn note_failure(
        &self,
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
        self.change_if_it_holds(change).await?;
        Ok(())
    }

    /// An attempt failed, and there will be no others until somebody asks for them. Gives whether the replica is failed
    /// then: it may have become available meanwhile, or be gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(
        &self,
        blob: &BlobId,
        target: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(replica) = self.replica(blob, target).await? else {
            return Ok(false);
        };
        let change = |replica: &ReplicaRow, to| {
            let set = ", attempts = attempts + :one, last_error = :reason";
            moved(replica, to, set, "", now)
                .with(":one", number(1))
                .with(":reason", text(&short(reason)))
        };
        if self.move_replica(&replica, Event::GiveUp, 0, change).await? {
            return Ok(true);
        }
        // It has failed before, or arrived by another way.
        self.note_failure(blob, target, reason, now).await?;
        let replica = self.replica(blob, target).await?;
        Ok(replica.is_some_and(|replica| replica.state == State::Failed))
    }

    /// The dead letter of a failed replica is sent: whoever comes later need not send another one. Nothing may have happened
    /// to it since it was read: it may have been tried again, and have failed again, and the letter is about the first time.
    ///
    /// # Errors
    /// [`StoreError`]; that something has happened is none.
    pub async fn note_dead_letter(&self, replica: &ReplicaRow) -> Result<(), StoreError> {
        let same = "#state = :failed AND updated_at = :read";
        let change = Change::new(replica.key(), "SET buried = :yes", same)
            .with(":yes", AttributeValue::Bool(true))
            .with(":read", text(&replica.updated_at))
            .with(":failed", state(State::Failed));
        self.change_if_it_holds(change).await?;
        Ok(())
    }

    /// A failed replica is to be tried again. Gives whether it was failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redrive(&self, replica: &ReplicaRow, now: Timestamp) -> Result<bool, StoreError> {
        self.move_replica(replica, Event::Redrive, 0, |replica, to| {
            moved(replica, to, ", attempts = :none", ", restarts, buried", now).with(":none", number(0))
        })
        .await
    }

    /// The target of an available replica does not have it any more: it waits for its bytes again. Gives whether it was
    /// available.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lose_replica(
        &self,
        replica: &ReplicaRow,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.move_replica(replica, Event::Lose, 0, |replica, to| {
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

    /// Deletes a replica and its segments. What it has at the target must be gone by now.
    ///
    /// # Errors
    /// [`Conflict::ReplicaChanged`] when it is not what was read any more.
    pub async fn remove_replica(&self, replica: &ReplicaRow) -> Result<(), StoreError> {
        self.delete_segments(&replica.blob, &replica.target).await?;
        let same = Item::from([
            (":from".to_owned(), state(replica.state)),
            (":since".to_owned(), text(&replica.since)),
        ]);
        let conflict = Conflict::ReplicaChanged;
        self.transact(vec![
            Write::delete(
                &replica.key(),
                "#state = :from AND since = :since",
                same,
                conflict,
            )?,
            count(
                &TallyRow::key_of(&replica.target, &replica.blob),
                tally_of(replica, None),
            )?,
        ])
        .await
    }

    async fn delete_segments(&self, blob: &BlobId, target: &str) -> Result<(), StoreError> {
        let rows: Vec<SegmentRow> = self
            .all(&blob_partition(blob), &SegmentRow::prefix(target))
            .await?;
        self.delete_all(&rows.iter().map(Row::key).collect::<Vec<_>>())
            .await
    }
}

/// The writes of many arrivals. All are counted in one row of the tally: transactions that change the same rows at the same
/// moment are refused, and only the sum counts.
fn together(arrivals: &[Arrival], now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let mut tallies: HashMap<&str, (Key, Tally)> = HashMap::new();
    let mut writes = Vec::new();
    for arrival in arrivals {
        let replica = &arrival.replica;
        if step(replica.state, Event::Arrive, replica.multipart_id.is_some()).is_none() {
            return Err(Conflict::ReplicaChanged.into());
        }
        writes.push(Write::update(&arrived(arrival, now), Conflict::ReplicaChanged)?);
        let (_, tally) = tallies.entry(&replica.target).or_insert_with(|| {
            let key = TallyRow::key_of(&replica.target, &replica.blob);
            (key, Tally::default())
        });
        *tally += tally_of(replica, Some(State::Available)).copied(arrival.copied);
    }
    for (key, tally) in tallies.into_values() {
        writes.push(count(&key, tally)?);
    }
    Ok(writes)
}
