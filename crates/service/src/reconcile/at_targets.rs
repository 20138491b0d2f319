//! Replicas that their target has lost, those at targets that are draining or gone, and those that are missing.

use super::{Reconcile, count, each};
use crate::configured_targets::{ConfiguredTarget, Targets};
use domain::id::{AccountId, NodeId};
use domain::reconcile::pass::Counts;
use domain::reconcile::sample::Sample;
use domain::reconcile::{ReplicaAction, replica_action};
use domain::targets::registry::{Member, TargetRegistry};
use std::collections::HashMap;
use store::rows::{NodeRow, ReplicaRow, TargetRegistryRow};
use store::{Conflict, StoreError};
use targets::ReplicaError;

/// The result of checking a replica.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    AsItWas,
    Lost,
    Removed,
}

impl Reconcile {
    /// Checks replicas; where the target is active, those of the sample only. A target that does not answer is not asked
    /// again in this invocation.
    pub(super) async fn replicas(
        &self,
        replicas: Vec<ReplicaRow>,
        target_registry: &TargetRegistryRow,
        sample: Sample,
    ) -> Counts {
        let mut counts = Counts {
            replicas_seen: count(replicas.len()),
            ..Counts::default()
        };
        let mut due = Vec::new();
        for replica in replicas {
            let member = target_registry.target_registry.member(&replica.target);
            let status = member.map(|member| member.status);
            // Before the first sweep no target is known.
            let known_since = if target_registry.version == 0 {
                self.table.now()
            } else {
                target_registry.changed_at
            };
            match replica_action(status, known_since, replica.available_at, self.table.now()) {
                ReplicaAction::Nothing => {}
                ReplicaAction::Check if !sample.has_replica(&replica.blob, &replica.target) => {}
                action => due.push((replica, action)),
            }
        }
        if due.is_empty() {
            return counts;
        }
        let looked_at = due.iter().filter(|(_, action)| *action == ReplicaAction::Check);
        counts.replicas_checked = count(looked_at.count());
        let targets = match self.targets.get(&[]).await {
            Ok(targets) => targets,
            Err(error) => {
                tracing::error!(error = error.for_log(), "replicas cannot be checked");
                counts.failed += count(due.len());
                return counts;
            }
        };
        let (became, failed) = each(due, async |(replica, action)| {
            let look = self.replica(&replica, action, &targets);
            self.unreachable.ask(&replica.target, look).await
        })
        .await;
        counts.failed += failed;
        for became in became {
            match became {
                Became::AsItWas => {}
                Became::Lost => counts.replicas_lost += 1,
                Became::Removed => counts.replicas_removed += 1,
            }
        }
        counts
    }

    async fn replica(
        &self,
        replica: &ReplicaRow,
        action: ReplicaAction,
        targets: &Targets,
    ) -> Result<Became, ReplicaError> {
        // The row came from a scan, and may have been old.
        let read = self.table.replicas().get(&replica.blob, &replica.target).await?;
        let Some(replica) = read.filter(|read| read.since == replica.since && read.state == replica.state)
        else {
            return Ok(Became::AsItWas);
        };
        if action == ReplicaAction::Remove {
            // The target registry may be older than the secret: a target that is wanted again keeps what it has.
            let wanted = |place: &ConfiguredTarget| !place.config.draining;
            if targets.get(&replica.target).is_ok_and(wanted) {
                return Ok(Became::AsItWas);
            }
            targets.remove(&replica).await?;
            return match self.table.replicas().remove(&replica).await {
                Ok(()) => Ok(Became::Removed),
                // The next pass looks at what it has become.
                Err(error) if error.conflict() == Some(Conflict::ReplicaChanged) => Ok(Became::AsItWas),
                Err(error) => Err(error.into()),
            };
        }
        let (Some(key), Ok(place)) = (&replica.key, targets.get(&replica.target)) else {
            return Ok(Became::AsItWas);
        };
        let there = place.store.head(key).await?;
        if there.is_none() {
            // The answer to a HEAD does not tell a missing object from a missing bucket. This fails when it is the bucket.
            place.store.multiparts(key).await?;
        }
        let checksum = replica.checksum.as_deref().unwrap_or_default();
        if there
            .as_ref()
            .is_some_and(|there| there.is(replica.size, checksum))
            || self.is_reclaimed(&replica).await?
        {
            return Ok(Became::AsItWas);
        }
        let reason = match there {
            None => "the target has lost the object".to_owned(),
            Some(there) => format!(
                "the target has another object: {} bytes with the checksum {}",
                there.size, there.checksum
            ),
        };
        if !self
            .table
            .replicas()
            .lose(&replica, &reason, self.table.now())
            .await?
        {
            return Ok(Became::AsItWas);
        }
        tracing::error!(blob = %replica.blob, target = replica.target, key, reason, "a replica is lost; copying it again");
        let target = std::slice::from_ref(&replica.target);
        self.queue.start(&replica.blob, target).await?;
        Ok(Became::Lost)
    }

    /// What is being reclaimed may be gone from its targets already.
    async fn is_reclaimed(&self, replica: &ReplicaRow) -> Result<bool, StoreError> {
        let blob = self.table.blobs().get(&replica.blob).await?;
        Ok(blob.is_none_or(|blob| blob.reclaiming))
    }

    /// Creates the replicas that files' blobs lack: those of targets that were added since, and of policies that came
    /// to apply.
    pub(super) async fn ensure_replicas(
        &self,
        nodes: Vec<NodeRow>,
        target_registry: &TargetRegistry,
    ) -> Result<Counts, StoreError> {
        let mut by_folder: HashMap<(AccountId, Option<NodeId>), Vec<Member>> = HashMap::new();
        let mut wanted = Vec::new();
        for node in nodes {
            let Some(file) = node.file else { continue };
            let folder = (node.account, node.parent);
            if !by_folder.contains_key(&folder) {
                let targets = self
                    .table
                    .targets()
                    .of_file(target_registry, &folder.0, folder.1.as_ref())
                    .await?;
                by_folder.insert(folder.clone(), targets);
            }
            let targets = by_folder.get(&folder).into_iter().flatten();
            wanted.extend(targets.map(|member| (file.blob.clone(), member.clone())));
        }
        let keys = wanted
            .iter()
            .map(|(blob, member)| ReplicaRow::key_of(blob, &member.name));
        // What exists already is refused by a condition.
        let there = self.table.probably_existing(keys).await?;
        wanted.retain(|(blob, member)| !there.contains(&ReplicaRow::key_of(blob, &member.name)));
        let (added, failed) = each(wanted, async |(blob, member)| {
            let made = self
                .table
                .replicas()
                .add(&blob, &[member], self.table.now())
                .await?;
            self.queue.start(&blob, &made).await?;
            Ok::<_, StoreError>(count(made.len()))
        })
        .await;
        Ok(Counts {
            replicas_added: added.into_iter().sum(),
            failed,
            ..Counts::default()
        })
    }
}
