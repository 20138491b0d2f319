//! Targets: who they are, how they do, who works on them.

use crate::error::{Conflict, StoreError};
use crate::queue::StartQueue;
use crate::rows::{CircuitRow, NodeRow, RosterRow, SamplesRow, SlotRow, TallyRow, WaitingFor};
use crate::table::{Change, Item, Key, Row, Table, Write, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::circuit::{Admission, Circuit, FIRST_WAIT};
use domain::id::{AccountId, BlobId, NodeId};
use domain::moment::later;
use domain::name::Name;
use domain::replica::Tally;
use domain::targets::Config;
use domain::targets::roster::{Member, Roster, Standing};
use jiff::{SignedDuration, Timestamp};
use rand::seq::SliceRandom;

/// How often a change is tried that others were faster with.
const ATTEMPTS: u32 = 5;

/// How a target is doing.
#[derive(Debug, Clone)]
pub struct Status {
    /// How many replicas it has in which state.
    pub tally: Tally,
    /// Since when the oldest of those waits that are not there yet.
    pub oldest: Option<Timestamp>,
    /// Bytes a second that were copied there in the last minutes.
    pub bytes_per_second: u64,
    /// Whether it is left alone.
    pub circuit: CircuitRow,
}

impl Table {
    /// What all functions may know of the targets.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn roster(&self) -> Result<RosterRow, StoreError> {
        let row = self.get(&RosterRow::key_of()).await?;
        Ok(row.unwrap_or_default())
    }

    /// Writes down what all functions may know of the targets, if it is something else than is known. Gives what is known
    /// now. `was` must have been read before `config`: then nobody who read an old document writes over what a newer one
    /// says.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn publish(
        &self,
        was: RosterRow,
        config: &Config,
        now: Timestamp,
    ) -> Result<RosterRow, StoreError> {
        let roster = was.roster.after(config);
        if roster == was.roster && was.version > 0 {
            return Ok(was);
        }
        let next = RosterRow {
            roster,
            changed_at: now,
            version: was.version + 1,
        };
        self.put_roster(next, was.version).await
    }

    /// Forgets targets that are not configured any more, and of which no replica is left. Gives what is known now.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn forget_retired(&self, was: RosterRow) -> Result<RosterRow, StoreError> {
        let mut next = was.clone();
        next.roster.members.clear();
        for member in &was.roster.members {
            if member.standing != Standing::Retired || !self.tally(&member.name).await?.is_empty() {
                next.roster.members.push(member.clone());
            }
        }
        if next.roster == was.roster {
            return Ok(was);
        }
        next.version += 1;
        self.put_roster(next, was.version).await
    }

    async fn put_roster(&self, next: RosterRow, was: u64) -> Result<RosterRow, StoreError> {
        match self.put_version(&next, was).await {
            Ok(()) => Ok(next),
            Err(StoreError::Conflict(_)) => self.roster().await,
            Err(error) => Err(error),
        }
    }

    /// Writes a row over the version that was read; 0 is none.
    async fn put_version<R: Row>(&self, row: &R, was: u64) -> Result<(), StoreError> {
        let conflict = Conflict::ReplicaChanged;
        if was == 0 {
            self.transact(vec![Write::create(row, conflict)?]).await
        } else {
            self.replace(row, was, conflict).await
        }
    }

    /// The targets that a file of this account in this folder gets replicas at; no parent is the root.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn targets_for(
        &self,
        roster: &Roster,
        account: &AccountId,
        parent: Option<&NodeId>,
    ) -> Result<Vec<Member>, StoreError> {
        let folder = if roster.asks_for_folders(account) {
            self.folder_names(account, parent).await?
        } else {
            Vec::new()
        };
        let targets = roster.targets_for(account, &folder);
        Ok(targets.into_iter().cloned().collect())
    }

    /// The names of a folder and of those it is in, from the root.
    async fn folder_names(
        &self,
        account: &AccountId,
        parent: Option<&NodeId>,
    ) -> Result<Vec<Name>, StoreError> {
        let mut names = Vec::new();
        let mut next = parent.cloned();
        while let Some(id) = next {
            let node: Option<NodeRow> = self.node(account, &id).await?;
            let Some(node) = node else { break };
            names.push(node.name);
            next = node.parent;
        }
        names.reverse();
        Ok(names)
    }

    /// Gives a blob that a file refers to the replicas that it lacks, where policies may ask for more than those it got
    /// when it was made. What fails here the reconciler does later.
    pub async fn cover(
        &self,
        queue: &StartQueue,
        account: &AccountId,
        parent: Option<&NodeId>,
        blob: &BlobId,
    ) {
        let now = crate::rows::now();
        let covered = async {
            let roster = self.recent_roster().await?;
            if roster.policies.is_empty() {
                return Ok(());
            }
            let targets = self.targets_for(&roster, account, parent).await?;
            let made = self.add_replicas(blob, &targets, now).await?;
            queue.start(blob, &made).await
        };
        let covered: Result<(), StoreError> = covered.await;
        if let Err(error) = covered {
            tracing::warn!(%blob, error = error.for_log(), "left to the reconciler: further replicas");
        }
    }

    /// How many replicas a target has in which state.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn tally(&self, target: &str) -> Result<Tally, StoreError> {
        let rows: Vec<TallyRow> = self.get_many(TallyRow::keys_of(target)).await?;
        let mut sum = Tally::default();
        for row in rows {
            sum += row.tally;
        }
        Ok(sum)
    }

    /// Replicas of a target that wait for something: those that wait longest, about `limit`.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn waiting_at(
        &self,
        target: &str,
        what: WaitingFor,
        limit: u32,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let mut all = Vec::new();
        for shard in what.shards(target) {
            all.extend(self.waiting(&shard, limit).await?);
        }
        all.sort_by_key(|(_, since)| *since);
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Since when the oldest replica waits that a target does not have yet.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn oldest_at(&self, target: &str) -> Result<Option<Timestamp>, StoreError> {
        let waiting = self.waiting_at(target, WaitingFor::Bytes, 1).await?;
        Ok(waiting.first().map(|(_, since)| *since))
    }

    /// How a target is doing.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn target_status(&self, target: &str, now: Timestamp) -> Result<Status, StoreError> {
        let tally = self.tally(target).await?;
        let samples: Option<SamplesRow> = self.get(&SamplesRow::key_of(target)).await?;
        Ok(Status {
            tally,
            oldest: self.oldest_at(target).await?,
            bytes_per_second: samples.map_or(0, |row| rate(&row, tally.copied_bytes, now)),
            circuit: self.circuit(target).await?,
        })
    }

    /// Notes how many bytes have been copied to a target by now, for its rate.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn sample(&self, target: &str, copied: i64, now: Timestamp) -> Result<(), StoreError> {
        let row: Option<SamplesRow> = self.get(&SamplesRow::key_of(target)).await?;
        let mut samples = row.unwrap_or_default().samples;
        samples.push((now, copied));
        let surplus = samples.len().saturating_sub(SamplesRow::KEPT);
        samples.drain(..surplus);
        let row = SamplesRow {
            target: target.to_owned(),
            samples,
        };
        self.transact(vec![Write::put_always(&row, Conflict::ReplicaChanged)?])
            .await
    }

    /// How a target has been doing.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn circuit(&self, target: &str) -> Result<CircuitRow, StoreError> {
        let row = self.get(&CircuitRow::key_of(target)).await?;
        Ok(row.unwrap_or_else(|| CircuitRow {
            target: target.to_owned(),
            ..CircuitRow::default()
        }))
    }

    /// A worker wants to work on a target. Gives the answer, and how the target has been doing.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn ask_circuit(
        &self,
        target: &str,
        now: Timestamp,
    ) -> Result<(Admission, Circuit), StoreError> {
        let row = self.circuit(target).await?;
        let (admission, next) = row.circuit.ask(now);
        let Some(circuit) = next else {
            return Ok((admission, row.circuit));
        };
        let next = CircuitRow {
            circuit,
            version: row.version + 1,
            ..row.clone()
        };
        match self.put_version(&next, row.version).await {
            Ok(()) => Ok((admission, circuit)),
            // Another worker is the probe.
            Err(StoreError::Conflict(_)) => {
                let until = later(now, FIRST_WAIT);
                Ok((Admission::Wait(until), row.circuit))
            }
            Err(error) => Err(error),
        }
    }

    /// A target did what it was asked for (`failure` is none), or did not: whether that will not pass by itself, and why.
    /// Gives the circuit as it is then.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn tell_circuit(
        &self,
        target: &str,
        failure: Option<(bool, &str)>,
        now: Timestamp,
    ) -> Result<Circuit, StoreError> {
        for _ in 0..ATTEMPTS {
            let row = self.circuit(target).await?;
            let (circuit, reason) = match failure {
                None => match row.circuit.succeeded() {
                    None => return Ok(row.circuit),
                    Some(circuit) => (circuit, None),
                },
                Some((for_good, reason)) => (row.circuit.failed(for_good, now), Some(reason.to_owned())),
            };
            let next = CircuitRow {
                circuit,
                reason,
                version: row.version + 1,
                ..row.clone()
            };
            match self.put_version(&next, row.version).await {
                Ok(()) => {
                    if circuit.is_open() && !row.circuit.is_open() {
                        tracing::error!(
                            target,
                            reason = next.reason,
                            "the target is left alone for a while"
                        );
                    }
                    if row.circuit.is_open() && !circuit.is_open() {
                        tracing::info!(target, "the target works again");
                    }
                    return Ok(circuit);
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        // Many failed at once, and have said so.
        Ok(self.circuit(target).await?.circuit)
    }

    /// Takes one of the `places` that a target has for workers, until `until`. `None`: all are taken.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn take_slot(
        &self,
        target: &str,
        places: u16,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<u16>, StoreError> {
        let mut order: Vec<u16> = (0..places).collect();
        order.shuffle(&mut rand::rng());
        for slot in order {
            let row = SlotRow {
                target: target.to_owned(),
                slot,
                holder: holder.to_owned(),
                until: until.as_millisecond(),
            };
            let free = "attribute_not_exists(pk) OR #until < :now OR holder = :holder";
            let values = Item::from([
                (
                    ":now".to_owned(),
                    AttributeValue::N(now.as_millisecond().to_string()),
                ),
                (":holder".to_owned(), text(holder)),
            ]);
            let taken = Write::put(&row, free, values, Conflict::ReplicaChanged)?;
            match self.transact(vec![taken]).await {
                Ok(()) => return Ok(Some(slot)),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Keeps a place until `until`. Gives whether it still is this holder's.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn keep_slot(
        &self,
        target: &str,
        slot: u16,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        // DynamoDB must not take away what is kept.
        let change = Change::new(
            SlotRow::key_of(target, slot),
            "SET #until = :until, #ttl = :ttl",
            "holder = :holder",
        )
        .with(":until", AttributeValue::N(until.as_millisecond().to_string()))
        .with(":ttl", AttributeValue::N(until.as_second().to_string()))
        .with(":holder", text(holder));
        self.change_if_it_holds(change).await
    }

    /// Gives a place back. Gives whether it was this holder's.
    ///
    /// # Errors
    /// [`StoreError::Remote`].
    pub async fn free_slot(&self, target: &str, slot: u16, holder: &str) -> Result<bool, StoreError> {
        let change = Change::new(
            SlotRow::key_of(target, slot),
            "SET #until = :gone REMOVE holder",
            "holder = :holder",
        )
        .with(":gone", number(0))
        .with(":holder", text(holder));
        self.change_if_it_holds(change).await
    }
}

/// Bytes a second since the oldest sample.
fn rate(samples: &SamplesRow, copied: i64, now: Timestamp) -> u64 {
    let Some((since, before)) = samples.samples.first() else {
        return 0;
    };
    let seconds = now
        .duration_since(*since)
        .max(SignedDuration::from_secs(1))
        .as_secs();
    let bytes = copied.saturating_sub(*before).max(0);
    u64::try_from(bytes / seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_what_was_copied_since_the_oldest_sample() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let samples = |samples: &[(i64, i64)]| SamplesRow {
            target: "t".to_owned(),
            samples: samples
                .iter()
                .map(|&(second, copied)| (at(second), copied))
                .collect(),
        };
        assert_eq!(rate(&samples(&[]), 1000, at(100)), 0);
        assert_eq!(rate(&samples(&[(0, 0), (60, 600)]), 1000, at(100)), 10);
        assert_eq!(rate(&samples(&[(100, 500)]), 1000, at(100)), 500);
        assert_eq!(rate(&samples(&[(0, 5000)]), 1000, at(100)), 0);
    }
}
