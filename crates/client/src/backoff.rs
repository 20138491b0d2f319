//! When to try again.

use backon::ExponentialBuilder;
use std::time::Duration;

/// How often and how patiently a call is tried again. Waits double; half of each is random, so that many clients do not come
/// back at once.
pub type Retry = ExponentialBuilder;

/// For calls to the API that a person waits for: six tries, and waits of up to 200 ms at first and five seconds at last.
pub(crate) const CALL: Retry =
    doubling(Duration::from_millis(100), Duration::from_millis(2500)).with_max_times(5);

/// For bytes on their way: twelve tries, and waits of up to 300 ms at first and 20 s at last. A lost network may come back within
/// two minutes or so.
pub(crate) const TRANSFER: Retry =
    doubling(Duration::from_millis(150), Duration::from_secs(10)).with_max_times(11);

/// Between two questions whether something is done.
pub(crate) const POLL: Retry =
    doubling(Duration::from_millis(150), Duration::from_millis(2500)).without_max_times();

/// Waits that are at least so long at first and at last, and at most twice as long.
const fn doubling(first: Duration, last: Duration) -> Retry {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(last)
        .with_jitter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use backon::BackoffBuilder;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        for (retry, tries, first, last) in [(CALL, 6, 200, 5000), (TRANSFER, 12, 300, 20_000)] {
            let waits: Vec<_> = retry.build().collect();
            assert_eq!(waits.len() + 1, tries);
            for (wait, doubled) in waits.iter().zip(0..) {
                let (wait, longest) = (wait.as_secs_f64() * 1000.0, f64::from(last.min(first << doubled)));
                assert!(
                    wait > longest * 0.499 && wait < longest * 1.001,
                    "{doubled}: {waits:?}"
                );
            }
        }
    }

    #[test]
    fn clients_do_not_come_back_at_once() {
        let waits = |retry: Retry| retry.build().collect::<Vec<_>>();
        assert_ne!(waits(CALL), waits(CALL));
        assert_eq!(POLL.build().take(1000).count(), 1000);
    }
}
