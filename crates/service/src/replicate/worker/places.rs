//! The places that a worker takes at targets that have only so many.

use super::held_leases::HeldLeases;
use crate::replicate::replicator::Replicator;
use jiff::SignedDuration;
use store::{DeadLetters, Table};

/// How long messages and places stay with a worker that does not say that it is alive.
pub(super) const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// When messages come again that found no place at their target, in seconds.
const NO_SLOT: std::ops::Range<i64> = 10..40;
/// What it takes to work on messages.
pub struct Worker {
    /// Copies.
    pub replicator: Replicator,
    /// Where messages go that are given up.
    pub dead_letters: DeadLetters,
    /// How often a message is tried.
    pub max_attempts: u32,
    /// Tells this worker from others.
    pub name: String,
}

impl Worker {
    pub(super) fn table(&self) -> &Table {
        &self.replicator.table
    }

    /// Takes a place at a target that has only so many. `Err`: all are taken; how long to wait.
    pub(super) async fn slot(
        &self,
        target: &str,
        held_leases: &HeldLeases,
    ) -> Result<Option<u16>, SignedDuration> {
        let place = self.replicator.targets.get(target);
        let Some(places) = place.ok().and_then(|place| place.config.max_workers) else {
            return Ok(None);
        };
        let table = self.table();
        let taken = table
            .slots()
            .take(target, places, &self.name, table.now(), table.from_now(HOLD))
            .await;
        let wait = SignedDuration::from_secs(table.rng.within(NO_SLOT));
        match taken {
            Ok(Some(slot)) => {
                held_leases.take(target, slot);
                Ok(Some(slot))
            }
            Ok(None) => Err(wait),
            Err(error) => {
                tracing::warn!(
                    target,
                    error = error.for_log(),
                    "no place at the target could be taken"
                );
                Err(wait)
            }
        }
    }

    /// Whether a target has only so many places.
    pub(super) fn has_places(&self, target: &str) -> bool {
        let place = self.replicator.targets.get(target);
        place.is_ok_and(|place| place.config.max_workers.is_some())
    }

    /// Gives a place back.
    pub(super) async fn leave(&self, target: &str, slot: u16, held_leases: &HeldLeases) {
        held_leases.leave(target, slot);
        if let Err(error) = self.table().slots().free(target, slot, &self.name).await {
            tracing::warn!(
                target,
                error = error.for_log(),
                "the place is free a little later"
            );
        }
    }
}
