//! Waits before a write or read is tried again.

use crate::error::StoreError;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use host::Rng;
use std::time::Duration;
use tokio::time::sleep;

/// How often a write is tried again that collided with another one.
const COLLISION_RETRIES: usize = 8;
/// How often in a row a batch may be left as it was: with the waits in between about ten seconds.
const BATCH_RETRIES: usize = 12;

/// Each is on average twice as long as the one before, from 40 ms to 1.3 s.
fn waits(retries: usize, rng: &Rng) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(27))
        .with_max_delay(Duration::from_millis(864))
        .with_max_times(retries)
        .with_jitter_seed(rng.random())
        .with_jitter()
}

/// The waits of a write that collides with others.
pub(super) fn collision_waits(rng: &Rng) -> ExponentialBuilder {
    waits(COLLISION_RETRIES, rng)
}

/// The waits of a batch of which DynamoDB leaves something undone.
pub(super) struct RestWaits {
    left: ExponentialBackoff,
    rng: Rng,
}

impl RestWaits {
    pub(super) fn new(rng: &Rng) -> Self {
        Self {
            left: waits(BATCH_RETRIES, rng).build(),
            rng: rng.clone(),
        }
    }

    /// Waits before what was left is asked for again. `progress`: some of it was done.
    ///
    /// # Errors
    /// [`StoreError`] when nothing of it was done too often in a row.
    pub(super) async fn next(&mut self, operation: &'static str, progress: bool) -> Result<(), StoreError> {
        if progress {
            *self = Self::new(&self.rng);
        }
        let Some(wait) = self.left.next() else {
            let cause = format!("nothing of a batch was done {} times in a row", BATCH_RETRIES + 1);
            return Err(StoreError::throttled(operation, cause));
        };
        sleep(wait).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_batch_of_which_nothing_is_done_ends() {
        let waits: Vec<_> = waits(BATCH_RETRIES, &Rng::system()).build().collect();
        assert_eq!(waits.len(), BATCH_RETRIES);
        let total: Duration = waits.iter().sum();
        assert!((6..14).contains(&total.as_secs()), "{waits:?}");
    }

    #[tokio::test]
    async fn a_batch_of_which_something_is_done_goes_on() {
        let mut waits = RestWaits::new(&Rng::system());
        waits.left.by_ref().for_each(drop);
        assert!(waits.next("BatchGetItem", true).await.is_ok());
        waits.left.by_ref().for_each(drop);
        let ended = waits.next("BatchGetItem", false).await;
        assert_eq!(ended.unwrap_err().kind, ErrorKind::Throttled);
    }
}
