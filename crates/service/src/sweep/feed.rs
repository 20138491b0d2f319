//! Replicas that wait without a message, because their target's circuit was open: they get one when it works again, and no
//! faster than it takes them. A circuit that is still open gets its probe, if none was sent.

use crate::replicate::feed::{feed, send_probe};
use domain::targets::registry::TargetStatus;
use futures::future::join_all;
use jiff::SignedDuration;
use std::time::Duration;
use store::{StartQueue, StoreError, Table};

/// After this long it is checked whether a target takes more.
const PAUSE: Duration = Duration::from_secs(2);
/// The same when it took none the last time: each check reads up to a thousand replicas.
const LONG_PAUSE: Duration = Duration::from_secs(8);

/// What was done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Fed {
    /// How many replicas got a message.
    pub(crate) sent: usize,
    /// How many targets got a probe.
    pub(crate) probed: usize,
    /// How many targets, and replicas, are left to the next run.
    pub(crate) failed: usize,
}

/// Goes through all targets at once, for as long as `go_on` says and there is progress.
pub(crate) async fn run(table: &Table, queue: &StartQueue, go_on: impl Fn() -> bool) -> Fed {
    let target_registry = match table.targets().target_registry().await {
        Ok(row) => row.target_registry,
        Err(error) => {
            tracing::error!(
                error = error.for_log(),
                "replicas waiting at targets are left to the next run"
            );
            return Fed {
                failed: 1,
                ..Fed::default()
            };
        }
    };
    let active = target_registry
        .members
        .iter()
        .filter(|member| member.status == TargetStatus::Active);
    let fed = active.map(async |member| {
        let mut fed = Fed::default();
        if let Err(error) = one(table, queue, &member.name, &go_on, &mut fed).await {
            fed.failed += 1;
            tracing::error!(
                target = member.name,
                error = error.for_log(),
                "the target's waiting replicas are left to the next run"
            );
        }
        fed
    });
    let mut sum = Fed::default();
    for fed in join_all(fed).await {
        sum.sent += fed.sent;
        sum.probed += fed.probed;
        sum.failed += fed.failed;
    }
    sum
}

async fn one(
    table: &Table,
    queue: &StartQueue,
    target: &str,
    go_on: &impl Fn() -> bool,
    fed: &mut Fed,
) -> Result<(), StoreError> {
    loop {
        let circuit = table.circuits().get(target).await?.circuit;
        if circuit.is_open() {
            if circuit.lacks_probe(table.now())
                && send_probe(table, queue, target, SignedDuration::ZERO).await?
            {
                fed.probed += 1;
            }
            return Ok(());
        }
        let round = feed(table, queue, target, table.now()).await?;
        fed.sent += round.sent;
        // Each is seen once: those that wait longest stay where they are.
        fed.failed = fed.failed.max(round.unreadable);
        if !round.more || !go_on() {
            return Ok(());
        }
        // When none got any, the target is still busy with those before.
        let pause = if round.sent == 0 { LONG_PAUSE } else { PAUSE };
        tokio::time::sleep(pause).await;
    }
}
