//! Targets: who they are, how they do, who works on them.

pub mod circuits;
pub mod slots;

pub use circuits::Told;

use crate::error::{Conflict, StoreError};
use crate::rows::{CircuitRow, NodeRow, ReplicaCountersRow, SamplesRow, TargetRegistryRow, WaitingFor};
use crate::table::{Key, Rows, Table, Write};
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::MAX_DEPTH;
use domain::replica::ReplicaCounters;
use domain::targets::Config;
use domain::targets::registry::{Member, TargetRegistry, TargetStatus};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::time::Instant;

/// How a target is doing.
#[derive(Debug, Clone)]
pub struct Status {
    /// How many replicas it has in which state.
    pub counters: ReplicaCounters,
    /// Since when the oldest of those waits that are not there yet.
    pub oldest: Option<Timestamp>,
    /// Bytes a second that were copied there in the last minutes.
    pub bytes_per_second: u64,
    /// Whether it is left alone.
    pub circuit: CircuitRow,
    /// How many rows about it cannot be read, and are missing here.
    pub skipped: usize,
}

/// Targets: the target registry, counters and samples.
#[derive(Clone, Copy)]
pub struct Targets<'a>(pub(crate) &'a Table);

impl Table {
    /// Targets: the target registry, counters and samples.
    #[must_use]
    pub fn targets(&self) -> Targets<'_> {
        Targets(self)
    }
}

impl Targets<'_> {
    /// What all functions may know of the targets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn target_registry(self) -> Result<TargetRegistryRow, StoreError> {
        let row = self.0.get(&TargetRegistryRow::key_of()).await?;
        Ok(row.unwrap_or_default())
    }

    /// What may be known of the targets, as it was half a minute ago at most, unless configured otherwise: a
    /// function that makes a file need not read one row that everybody reads. A file that does not get a
    /// replica at a target because of that gets it from the reconciler, which begins a pass two minutes after
    /// the targets have changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_target_registry(self) -> Result<Arc<TargetRegistry>, StoreError> {
        let mut recent = self.0.recent.target_registry.lock().await;
        if let Some((at, target_registry)) = &*recent
            && at.elapsed() < self.0.recent.fresh
        {
            return Ok(Arc::clone(target_registry));
        }
        let at = Instant::now();
        let target_registry = Arc::new(self.target_registry().await?.target_registry);
        *recent = Some((at, Arc::clone(&target_registry)));
        Ok(target_registry)
    }

    /// Writes down what all functions may know of the targets, if it is something else than is known. Returns
    /// what is known now. `was` must have been read before `config`: then nobody who read an old document
    /// writes over what a newer one says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn publish(
        self,
        was: TargetRegistryRow,
        config: &Config,
        now: Timestamp,
    ) -> Result<TargetRegistryRow, StoreError> {
        let target_registry = was.target_registry.after(config);
        if target_registry == was.target_registry && was.version > 0 {
            return Ok(was);
        }
        let next = TargetRegistryRow {
            target_registry,
            changed_at: now,
            version: was.version + 1,
        };
        self.put_target_registry(next, was.version).await
    }

    /// Forgets targets that are not configured any more, and of which no replica is left. Returns what is
    /// known now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_retired(self, was: TargetRegistryRow) -> Result<TargetRegistryRow, StoreError> {
        let mut next = was.clone();
        next.target_registry.members.clear();
        for member in &was.target_registry.members {
            let retired = member.status == TargetStatus::Retired;
            // What cannot be read may be one that is left.
            let is_left = async {
                let all_counters = self.all_counters(&member.name).await?;
                Ok::<_, StoreError>(
                    !all_counters.unreadable.is_empty() || !sum(&all_counters.rows).is_empty(),
                )
            };
            if !retired || is_left.await? {
                next.target_registry.members.push(member.clone());
            }
        }
        if next.target_registry == was.target_registry {
            return Ok(was);
        }
        next.version += 1;
        self.put_target_registry(next, was.version).await
    }

    async fn put_target_registry(
        self,
        next: TargetRegistryRow,
        was: u64,
    ) -> Result<TargetRegistryRow, StoreError> {
        match self.0.put_version(&next, was).await {
            Ok(()) => Ok(next),
            Err(error) if error.is_conflict() => self.target_registry().await,
            Err(error) => Err(error),
        }
    }

    /// The targets that a file of this account in this folder gets replicas at; no parent is the root.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_file(
        self,
        target_registry: &TargetRegistry,
        account: &AccountId,
        parent: Option<&NodeId>,
    ) -> Result<Vec<Member>, StoreError> {
        let folder = if target_registry.asks_for_folders(account) {
            self.folder_names(account, parent).await?
        } else {
            Vec::new()
        };
        let targets = target_registry.targets_for(account, &folder);
        Ok(targets.into_iter().cloned().collect())
    }

    /// The names of a folder and of those it is in, from the root, or from the first that cannot be read.
    async fn folder_names(
        self,
        account: &AccountId,
        parent: Option<&NodeId>,
    ) -> Result<Vec<Name>, StoreError> {
        let mut names = Vec::new();
        let mut next = parent.cloned();
        while let Some(id) = next {
            // Folders are no deeper, unless somebody made them so by hand, or made them go round in a ring.
            if names.len() as u64 >= MAX_DEPTH {
                tracing::error!(%account, folder = %id, "folders are deeper than they may be; no policy of theirs is seen");
                return Ok(Vec::new());
            }
            let node: Option<NodeRow> = self
                .0
                .or_leave_out(self.0.tree().get(account, &id).await)?
                .flatten();
            let Some(node) = node else { break };
            names.push(node.name);
            next = node.parent;
        }
        names.reverse();
        Ok(names)
    }

    /// How many replicas a target has in which state, as far as that can be read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counters(self, target: &str) -> Result<ReplicaCounters, StoreError> {
        Ok(sum(&self.all_counters(target).await?.rows))
    }

    async fn all_counters(self, target: &str) -> Result<Rows<ReplicaCountersRow>, StoreError> {
        self.0.get_many(ReplicaCountersRow::keys_of(target)).await
    }

    /// Replicas of a target that wait for something: those that wait longest, about `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(
        self,
        target: &str,
        what: WaitingFor,
        limit: u32,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let mut all = Vec::new();
        for shard in what.shards(target) {
            all.extend(self.0.waiting(&shard, limit).await?);
        }
        all.sort_by_key(|(_, since)| *since);
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Since when the oldest replica waits that a target does not have yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn oldest(self, target: &str) -> Result<Option<Timestamp>, StoreError> {
        let waiting = self.waiting(target, WaitingFor::Bytes, 1).await?;
        Ok(waiting.first().map(|(_, since)| *since))
    }

    /// How a target is doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status(self, target: &str, now: Timestamp) -> Result<Status, StoreError> {
        let all_counters = self.all_counters(target).await?;
        let counters = sum(&all_counters.rows);
        let samples = self.0.get::<SamplesRow>(&SamplesRow::key_of(target)).await;
        let samples = self.0.or_leave_out(samples)?;
        let oldest = self.oldest(target).await?;
        let circuit = self.0.or_leave_out(self.0.circuits().get(target).await)?;
        let skipped =
            all_counters.unreadable.len() + usize::from(samples.is_none()) + usize::from(circuit.is_none());
        let samples = samples.flatten();
        Ok(Status {
            counters,
            oldest,
            bytes_per_second: samples.map_or(0, |row| rate(&row, counters.copied_bytes, now)),
            circuit: circuit.unwrap_or_default(),
            skipped,
        })
    }

    /// Notes how many bytes have been copied to a target by now, for its rate.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sample(self, target: &str, copied: i64, now: Timestamp) -> Result<(), StoreError> {
        // What cannot be read is written anew.
        let row = self.0.get::<SamplesRow>(&SamplesRow::key_of(target)).await;
        let mut samples = self.0.or_leave_out(row)?.flatten().unwrap_or_default().samples;
        samples.push((now, copied));
        let surplus = samples.len().saturating_sub(SamplesRow::KEPT);
        samples.drain(..surplus);
        let row = SamplesRow {
            target: target.to_owned(),
            samples,
        };
        self.0
            .transact(vec![Write::put_unconditional(&row, Conflict::ReplicaChanged)?])
            .await
    }
}

fn sum(rows: &[ReplicaCountersRow]) -> ReplicaCounters {
    let mut sum = ReplicaCounters::default();
    for row in rows {
        sum += row.counters;
    }
    sum
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
