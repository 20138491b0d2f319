//! What is read once for many requests.

use domain::targets::roster::Roster;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The roster as it was read last.
pub(crate) struct Recent {
    pub(crate) fresh: Duration,
    pub(crate) roster: Mutex<Option<(Instant, Arc<Roster>)>>,
}

impl Recent {
    /// One that is believed for so long.
    pub(crate) fn lasting(fresh: Duration) -> Arc<Self> {
        Arc::new(Self {
            fresh,
            roster: Mutex::default(),
        })
    }
}
