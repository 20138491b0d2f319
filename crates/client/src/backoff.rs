//! When to try again.

use std::time::Duration;

/// How often and how patiently a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, at least one.
    pub attempts: u32,
    /// Longest wait before the second try; doubles from try to try.
    pub base: Duration,
    /// Longest wait ever.
    pub cap: Duration,
}

impl Retry {
    /// For calls to the API that a person waits for: up to about five seconds.
    pub const CALL: Self = Self {
        attempts: 6,
        base: Duration::from_millis(200),
        cap: Duration::from_secs(5),
    };

    /// For bytes on their way: a lost network may come back within two minutes or so.
    pub const TRANSFER: Self = Self {
        attempts: 12,
        base: Duration::from_millis(300),
        cap: Duration::from_secs(20),
    };

    /// How long to wait after the `failed`th failure in a row (from 1), or `None` to give up. Half of the wait
    /// is random, so that many clients do not come back at once.
    #[must_use]
    pub fn wait(&self, failed: u32) -> Option<Duration> {
        self.wait_with(failed, rand::random::<f64>())
    }

    fn wait_with(&self, failed: u32, random: f64) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let doubled = self.base.saturating_mul(1 << failed.saturating_sub(1).min(20));
        Some(doubled.min(self.cap).mul_f64(0.5 + random / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_up_to_the_cap_and_end() {
        let retry = Retry {
            attempts: 5,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(3),
        };
        let waits: Vec<_> = (1..=5)
            .map(|failed| retry.wait_with(failed, 1.0).map(|w| w.as_secs()))
            .collect();
        assert_eq!(waits, [Some(1), Some(2), Some(3), Some(3), None]);
        assert_eq!(retry.wait_with(1, 0.0), Some(Duration::from_millis(500)));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_cap(failed in 1u32.., random in 0.0..1.0) {
            let retry = Retry { attempts: u32::MAX, base: Duration::from_millis(200), cap: Duration::from_secs(20) };
            if let Some(wait) = retry.wait_with(failed, random) {
                prop_assert!(wait <= retry.cap && wait >= retry.base / 2);
            }
        }
    }
}
