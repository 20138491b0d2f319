//! Waits before a write or read is tried again.

use crate::error::StoreError;
use std::time::Duration;

/// How often in a row a batch may be left as it was: with the waits in between about ten seconds.
const BATCH_RETRIES: u32 = 12;

/// A batch of which DynamoDB has left something undone: waits before that is asked for again. `progress`: some of it was
/// done.
///
/// # Errors
/// [`StoreError`] when nothing of it was done too often in a row.
pub(super) async fn wait_for_rest(
    operation: &'static str,
    attempt: &mut u32,
    progress: bool,
) -> Result<(), StoreError> {
    let Some(next) = next_attempt(*attempt, progress) else {
        let cause = format!("nothing of a batch was done {} times in a row", *attempt + 1);
        return Err(StoreError::throttled(operation, cause));
    };
    *attempt = next;
    wait_after_collision(next).await;
    Ok(())
}

fn next_attempt(attempt: u32, progress: bool) -> Option<u32> {
    let next = if progress { 1 } else { attempt + 1 };
    (next <= BATCH_RETRIES).then_some(next)
}

/// Waits before a write or read is tried again, longer each time.
pub(super) async fn wait_after_collision(attempt: u32) {
    let ceiling = 20u64 << attempt.min(6);
    let jitter = rand::random_range(0..ceiling);
    tokio::time::sleep(Duration::from_millis(ceiling / 2 + jitter)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_which_nothing_is_done_ends() {
        let mut attempt = 0;
        let mut rounds = 0;
        while let Some(next) = next_attempt(attempt, false) {
            (attempt, rounds) = (next, rounds + 1);
            assert!(rounds < 1000, "it never ends");
        }
        assert_eq!(rounds, BATCH_RETRIES);
        // One of which something is done each time goes on.
        assert_eq!(next_attempt(attempt, true), Some(1));
    }
}
