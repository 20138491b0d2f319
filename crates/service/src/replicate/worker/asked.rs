//! How a target was asked for something, and what a failure says about it.

use super::batch::Batch;
use super::delivery::{AttemptError, Delivery};
use crate::replicate::replicator::MessageResult;
use domain::circuit::{Admission, Circuit, OUTAGE, Probe};
use jiff::Timestamp;
use targets::error::{Failure, ReplicaError};

/// How a target was asked for something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// As the probe of an open circuit.
    pub(super) probe: Option<Probe>,
    /// No failure was known.
    pub(super) clean: bool,
}

impl Asked {
    /// The circuit has just closed.
    pub(super) const CLOSED: Self = Self {
        probe: None,
        clean: true,
    };

    pub(super) fn after(admission: Admission, circuit: &Circuit) -> Self {
        let probe = match admission {
            Admission::Probe(probe) => Some(probe),
            Admission::Go | Admission::Wait(_) => None,
        };
        Self {
            probe,
            clean: *circuit == Circuit::default(),
        }
    }
}

/// Whether a failure says nothing about the replica: it was the probe, and the target is to blame. Unless it has been so
/// for very long: everything is given up at last.
pub(super) fn says_nothing(
    delivery: &Delivery,
    batch: &Batch,
    asked: Asked,
    error: &ReplicaError,
    now: Timestamp,
) -> bool {
    let (blob, _) = delivery.message.subject();
    let since = match batch.job(blob) {
        Ok(Some((_, replica))) => replica.since,
        _ => return false,
    };
    asked.probe.is_some() && is_fault_of_target(error) && now.duration_since(since) < OUTAGE
}

/// Whether this is the target's fault: whether it will not pass by itself, and why.
pub(super) fn fault_of_target(outcome: &Result<MessageResult, AttemptError>) -> Option<(bool, String)> {
    match outcome {
        Err(AttemptError::Failed(error)) if is_fault_of_target(error) => {
            Some((error.failure() == Some(Failure::Permanent), error.for_log()))
        }
        _ => None,
    }
}

fn is_fault_of_target(error: &ReplicaError) -> bool {
    let slow_or_wrong = matches!(
        error,
        ReplicaError::TargetCorrupt { .. } | ReplicaError::Late { .. }
    );
    slow_or_wrong || error.failure().is_some()
}
