//! How fast one worker sends to one target, over all of its streams.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// As many streams a worker may have at one target: time-outs leave room for that many to share a limited speed.
pub const MAX_STREAMS: u64 = 16;
/// The slowest transfer that is not given up, in bytes a second, unless the target is told to be slower.
const SLOWEST: u64 = 1024 * 1024;
/// How many parts a store is granted a second for putting them together.
const PARTS_PER_SECOND: usize = 32;
/// What may be sent ahead of time, so that a stream that was held up catches up.
const BURST: Duration = Duration::from_millis(100);

/// A limit of bytes a second, shared by all streams that have it.
#[derive(Debug, Default)]
pub struct Pace {
    bytes_per_second: Option<u64>,
    /// When all that was let through is paid for.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most so many bytes a second; `None` is as many as it can be.
    #[must_use]
    pub fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second,
            paid: Mutex::default(),
        }
    }

    /// How long a piece of this length has to wait before it may be sent; `None`: not at all. It must be sent then.
    #[must_use]
    pub fn pause(&self, bytes: usize) -> Option<Sleep> {
        let wait = self.reserve(bytes, Instant::now());
        (!wait.is_zero()).then(|| sleep(wait))
    }

    /// How long a request that carries so many bytes may take.
    #[must_use]
    pub fn patience(&self, bytes: u64) -> Duration {
        let slowest = match self.bytes_per_second {
            Some(limit) => SLOWEST.min((limit / MAX_STREAMS).max(1)),
            None => SLOWEST,
        };
        Duration::from_secs(30 + bytes / slowest)
    }

    /// How long a target may take to put so many parts together.
    #[must_use]
    pub fn patience_to_complete(&self, parts: usize) -> Duration {
        let seconds = u64::try_from(parts / PARTS_PER_SECOND).unwrap_or_default();
        self.patience(0) + Duration::from_secs(seconds)
    }

    fn reserve(&self, bytes: usize, now: Instant) -> Duration {
        let Some(limit) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        // Any platform's clock can go back a tenth of a second.
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let start = paid.map_or(earliest, |paid| paid.max(earliest));
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let cost = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / limit.max(1));
        *paid = Some(start + cost);
        start.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_share_the_limit() {
        let pace = Pace::new(Some(1000));
        let now = Instant::now();
        let after = |seconds| now + Duration::from_millis(seconds);
        // A tenth of a second was saved up; then each waits for those before it.
        assert_eq!(pace.reserve(500, now), Duration::ZERO);
        assert_eq!(pace.reserve(500, now), Duration::from_millis(400));
        assert_eq!(pace.reserve(100, now), Duration::from_millis(900));
        assert_eq!(pace.reserve(100, after(400)), Duration::from_millis(600));
        // Nothing is saved up for longer.
        assert_eq!(pace.reserve(200, after(60_000)), Duration::ZERO);
        assert_eq!(pace.reserve(1, after(60_000)), Duration::from_millis(100));
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let pace = Pace::new(None);
        for _ in 0..10 {
            assert_eq!(pace.reserve(usize::MAX, Instant::now()), Duration::ZERO);
        }
    }

    #[test]
    fn many_parts_get_more_time() {
        let pace = Pace::new(None);
        for (parts, seconds) in [(1, 30), (32, 31), (10_000, 342)] {
            assert_eq!(pace.patience_to_complete(parts), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn a_slow_target_gets_more_time() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(Pace::new(None).patience(0), Duration::from_secs(30));
        assert_eq!(Pace::new(None).patience(8 * MIB), Duration::from_secs(38));
        let patience = Pace::new(Some(1000 * MIB)).patience(8 * MIB);
        assert_eq!(
            patience,
            Duration::from_secs(38),
            "a high limit does not make it impatient"
        );
        assert_eq!(
            Pace::new(Some(MIB)).patience(8 * MIB),
            Duration::from_secs(30 + 8 * 16)
        );
    }
}
