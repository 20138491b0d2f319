//! What is read once for many requests.

use domain::targets::registry::TargetRegistry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The target registry as it was read last.
pub(crate) struct Recent {
    pub(crate) fresh: Duration,
    pub(crate) target_registry: Mutex<Option<(Instant, Arc<TargetRegistry>)>>,
}

impl Recent {
    /// One that is believed for so long.
    pub(crate) fn lasting(fresh: Duration) -> Arc<Self> {
        Arc::new(Self {
            fresh,
            target_registry: Mutex::default(),
        })
    }
}
