//! What happens to messages that were not tried, or failed.

use super::delivery::{AttemptError, Delivery, OUR_SIDE, Verdict, defer};
use super::held_leases::HeldLeases;
use super::places::Worker;
use domain::replica::{Message, State, back_off};
use futures::future::join_all;
use jiff::SignedDuration;
use store::{ErrorKind, StoreError};
use targets::error::{Failure, ReplicaError};

/// The longest reason in a dead letter, in characters.
const MAX_REASON: usize = 1000;

impl Worker {
    fn back_off(&self, attempts: u32) -> SignedDuration {
        back_off(attempts, self.table().rng.random())
    }

    /// An attempt failed.
    pub(super) async fn set_back(
        &self,
        delivery: &Delivery,
        held_leases: &HeldLeases,
        error: &ReplicaError,
    ) -> Verdict {
        let (attempts, known) = (delivery.attempts, error.for_log());
        if is_our_side(error) {
            // Neither the blob's fault nor the target's: it does not count.
            tracing::warn!(step = ?delivery.message, error = known, "an attempt failed for a reason other than the target");
            // Something may have been done all the same: the next worker that has it checks how it ended.
            let mut delivery = delivery.clone();
            delivery.attempts = attempts.max(2);
            return self.defer(&delivery, held_leases, OUR_SIDE).await;
        }
        tracing::warn!(step = ?delivery.message, attempts, error = known, "an attempt failed");
        if error.failure() == Some(Failure::Permanent) || attempts >= self.max_attempts {
            self.give_up(delivery, held_leases, &error.to_string(), &known)
                .await
        } else {
            self.try_again(delivery, held_leases, &error.to_string()).await
        }
    }

    /// The replica is there. What was left at the target costs space there, and nothing else.
    pub(super) async fn leave_untidy(
        &self,
        delivery: &Delivery,
        held_leases: &HeldLeases,
        error: &ReplicaError,
    ) -> Verdict {
        let attempts = delivery.attempts;
        tracing::warn!(step = ?delivery.message, attempts, error = error.for_log(), "an obsolete upload is left at the target");
        if attempts >= self.max_attempts {
            return Verdict::Done;
        }
        self.change_visibility(delivery, held_leases, self.back_off(attempts))
            .await;
        Verdict::Again
    }

    pub(super) async fn defer_all(
        &self,
        deliveries: &[&Delivery],
        held_leases: &HeldLeases,
        wait: SignedDuration,
    ) -> Vec<Verdict> {
        join_all(
            deliveries
                .iter()
                .map(|delivery| self.defer(delivery, held_leases, wait)),
        )
        .await
    }

    /// Delays a message without counting it as tried.
    pub(super) async fn defer(
        &self,
        delivery: &Delivery,
        held_leases: &HeldLeases,
        wait: SignedDuration,
    ) -> Verdict {
        let (table, queue) = (self.table(), &self.replicator.queue);
        match defer(table, queue, delivery, wait).await {
            Ok(()) => Verdict::Done,
            Err(error) => {
                tracing::warn!(error = error.for_log(), "a delayed message counts as tried");
                self.change_visibility(delivery, held_leases, wait).await;
                Verdict::Again
            }
        }
    }

    /// Records a failure where users see it, and delays the message longer after each attempt.
    async fn try_again(&self, delivery: &Delivery, held_leases: &HeldLeases, reason: &str) -> Verdict {
        let (blob, target) = delivery.message.subject();
        let noted = self
            .table()
            .replicas()
            .note_failure(blob, target, reason, self.table().now())
            .await;
        if let Err(error) = noted {
            tracing::warn!(%blob, target, error = error.for_log(), "a failure could not be recorded");
        }
        self.change_visibility(delivery, held_leases, self.back_off(delivery.attempts))
            .await;
        Verdict::Again
    }

    /// Marks the replica failed, and dead-letters its message, with the reason. In this order: a worker that is killed in
    /// between does both again when the message is redelivered. `shown` is for users, `known` for operators.
    async fn give_up(
        &self,
        delivery: &Delivery,
        held_leases: &HeldLeases,
        shown: &str,
        known: &str,
    ) -> Verdict {
        let (blob, target) = delivery.message.subject();
        let given_up = self
            .table()
            .replicas()
            .give_up(blob, target, shown, self.table().now())
            .await;
        let dead_lettered = match given_up {
            Ok(_) => self.look_again(delivery, Some(known)).await,
            // Nothing can be written into a row that cannot be parsed.
            Err(error) if error.kind == ErrorKind::Corrupt => self
                .dead_letter(delivery, &error.for_log())
                .await
                .map_err(|error| AttemptError::Failed(error.into())),
            Err(error) => Err(AttemptError::Failed(error.into())),
        };
        match dead_lettered {
            Ok(()) => {
                tracing::error!(%blob, target, reason = known, "there was a last attempt");
                Verdict::Done
            }
            Err(AttemptError::Untidy(error)) => self.leave_untidy(delivery, held_leases, &error).await,
            Err(_) => {
                tracing::warn!(%blob, target, "dead-lettering failed; it will be retried");
                self.change_visibility(delivery, held_leases, self.back_off(delivery.attempts))
                    .await;
                Verdict::Again
            }
        }
    }

    /// Checks how a replica has ended, and does what follows from that: the worker that had it before may have died in
    /// between. `reason`: why it failed, if that is known better than by what users see.
    pub(super) async fn look_again(
        &self,
        delivery: &Delivery,
        reason: Option<&str>,
    ) -> Result<(), AttemptError> {
        let (blob, target) = delivery.message.subject();
        let ours = |error: StoreError| AttemptError::Failed(error.into());
        let table = self.table();
        let Some(replica) = table.replicas().get(blob, target).await.map_err(ours)? else {
            return Ok(());
        };
        match replica.state {
            // A `start` may be the dead letter itself, moved back.
            State::Failed if !replica.dead_lettered || matches!(delivery.message, Message::Start { .. }) => {
                let shown = replica.last_error.as_deref().unwrap_or_default();
                self.dead_letter(delivery, reason.unwrap_or(shown))
                    .await
                    .map_err(ours)?;
                table.replicas().note_dead_letter(&replica).await.map_err(ours)
            }
            State::Available => self
                .replicator
                .abort_all_multiparts(blob, target)
                .await
                .map_err(AttemptError::Untidy),
            State::Failed | State::Pending | State::Copying => Ok(()),
        }
    }

    /// Sends a dead letter. It says `start`, whatever the message was: moved back to the queue, it has the replica tried
    /// again from wherever it is.
    async fn dead_letter(&self, delivery: &Delivery, reason: &str) -> Result<(), StoreError> {
        let (blob, target) = delivery.message.subject();
        let start = Message::Start {
            blob: blob.clone(),
            target: target.to_owned(),
        };
        let body =
            serde_json::to_string(&start).map_err(|e| StoreError::internal("building a message", e))?;
        let reason: String = reason.chars().take(MAX_REASON).collect();
        self.dead_letters.put(&body, &reason, delivery.attempts).await
    }

    /// Sets the visibility time-out of a message. Heartbeats do not extend it any more.
    async fn change_visibility(&self, delivery: &Delivery, held_leases: &HeldLeases, wait: SignedDuration) {
        let Some(receipt) = &delivery.receipt else { return };
        let queue = &self.replicator.queue;
        // Without this the message comes again when it is visible by itself.
        let changed = held_leases.let_go(receipt, queue.change_visibility(&delivery.message, receipt, wait));
        if let Err(error) = changed.await {
            tracing::warn!(
                error = error.for_log(),
                "the visibility time-out could not be changed"
            );
        }
    }
}

/// The table, the queue or the primary store did not answer, or had too much to do.
fn is_our_side(error: &ReplicaError) -> bool {
    matches!(error, ReplicaError::Store(error) if error.is_transient())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Conflict;

    #[test]
    fn only_what_passes_on_our_side_does_not_count() {
        let remote = |kind| {
            let mut error = StoreError::unavailable("TransactWriteItems", "Transaction cancelled");
            error.kind = kind;
            ReplicaError::Store(error)
        };
        for kind in [ErrorKind::Throttled, ErrorKind::Unavailable] {
            assert!(is_our_side(&remote(kind)), "{kind:?}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::Denied, ErrorKind::Invalid] {
            assert!(!is_our_side(&remote(kind)), "{kind:?}");
        }
        assert!(!is_our_side(&ReplicaError::SourceCorrupt));
        assert!(!is_our_side(&StoreError::from(Conflict::ReplicaChanged).into()));
    }
}
