//! What all functions may know of the targets, and the targets' metrics.

use super::Sweep;
use crate::configured_targets::Targets;
use crate::sweep::report::Report;
use domain::replica::ReplicaCounters;
use targets::ReplicaError;
use telemetry::metrics::{Metric, emit};

impl Sweep {
    /// Publishes to all functions what they may know of the targets, and measures the targets' state.
    pub(crate) async fn targets(&self) -> Report {
        match self.publish_and_measure().await {
            Ok(()) => Report::default(),
            Err(error) => {
                tracing::error!(
                    error = error.for_log(),
                    "the target registry and metrics of targets could not be updated"
                );
                Report::failure()
            }
        }
    }

    async fn publish_and_measure(&self) -> Result<(), ReplicaError> {
        // In this order: the document may be changed at this moment, and the newer one must be what is written last.
        let was = self.table().targets().target_registry().await?;
        let config = Targets::from_env(&self.environment).await?.config;
        self.table()
            .targets()
            .publish(was, &config, self.table().now())
            .await?;
        for target in &config.targets {
            let counters = self.table().targets().counters(&target.name).await?;
            self.table()
                .targets()
                .sample(&target.name, counters.copied_bytes, self.table().now())
                .await?;
            let oldest = self.table().targets().oldest(&target.name).await?;
            let waited = oldest.map_or(0.0, |since| {
                self.table().now().duration_since(since).as_secs_f64()
            });
            self.measure(Some(&target.name), waited, &counters);
        }
        if config.targets.is_empty() {
            // So that alarms have data.
            self.measure(None, 0.0, &ReplicaCounters::default());
        }
        Ok(())
    }

    fn measure(&self, target: Option<&str>, waited: f64, counters: &ReplicaCounters) {
        let metric = |name, unit, value: f64| Metric {
            name,
            unit,
            values: vec![value],
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 replicas")]
        let metrics = [
            metric("OldestPending", "Seconds", waited),
            metric("PendingReplicas", "Count", counters.pending as f64),
            metric("FailedReplicas", "Count", counters.failed as f64),
        ];
        emit(self.namespace.as_deref(), target, &metrics, self.table().now());
    }
}
