//! The pace of a connection, as a test asked for.

use crate::faults::Faults;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Holds one connection's bytes back.
pub(crate) struct RateLimiter {
    faults: Arc<Faults>,
    /// When the bytes so far would have passed.
    free: Mutex<Instant>,
}

impl RateLimiter {
    pub(crate) fn new(faults: Arc<Faults>) -> Self {
        Self {
            faults,
            free: Mutex::new(Instant::now()),
        }
    }

    /// Waits until so many bytes may pass.
    pub(crate) async fn take(&self, bytes: usize) {
        let Some(rate) = self.faults.bytes_per_second() else {
            return;
        };
        #[allow(clippy::cast_precision_loss, reason = "a pace need not be exact")]
        let wait = Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        let until = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            *free = (*free).max(Instant::now()) + wait;
            *free
        };
        sleep_until(until).await;
    }
}
