//! The rate limit of one worker at one target, over all of its streams, and the time-outs that follow from it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// As many streams a worker may have at one target: time-outs leave room for that many to share a limited speed.
pub const MAX_STREAMS: u64 = 16;
/// How long a stream may make no progress.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes of a stream may be on their way, in buffers of ours and of the system, which do not report progress.
const BUFFERED: u64 = 2 * 1024 * 1024;
/// How many bytes of them are expected to arrive a second, unless the target is told to be slower. Whatever takes as many
/// is not given up; what takes less may be.
const SLOWEST: u64 = 32 * 1024;
/// How many parts a store is granted a second for putting them together.
const PARTS_PER_SECOND: usize = 32;
/// What may be sent ahead of time, so that a stream that was held up catches up.
const BURST: Duration = Duration::from_millis(100);

/// A limit of bytes a second, shared by all streams that have it.
#[derive(Debug)]
pub struct RateLimiter {
    bytes_per_second: Option<u64>,
    /// How long a stream may make no progress.
    timeout: Duration,
    /// When the bytes sent so far fit into the rate.
    paid: Mutex<Option<Instant>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new(None)
    }
}

impl RateLimiter {
    /// At most this many bytes a second; `None` is unlimited.
    #[must_use]
    pub fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second,
            timeout: TIMEOUT,
            paid: Mutex::default(),
        }
    }

    /// The same, with another time-out: tests need not wait for half a minute.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long a piece of this length has to wait before it may be sent. It must be sent then.
    #[must_use]
    pub fn pause(&self, bytes: usize) -> Duration {
        self.reserve(bytes, Instant::now())
    }

    /// How long a request may take that carries nothing worth mentioning.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long a stream may make no progress when this many bytes were taken: what is in buffers may be on its way all the
    /// while.
    #[must_use]
    pub fn progress_timeout(&self, taken: u64) -> Duration {
        let buffered = taken.min(BUFFERED).saturating_mul(1000) / self.slowest();
        self.timeout + Duration::from_millis(buffered)
    }

    /// How long it may take to read so many bytes.
    #[must_use]
    pub fn read_timeout(&self, bytes: u64) -> Duration {
        self.timeout + Duration::from_secs(bytes / self.slowest())
    }

    /// How many bytes a second are enough not to be given up.
    #[must_use]
    pub fn slowest(&self) -> u64 {
        match self.bytes_per_second {
            Some(limit) => SLOWEST.min((limit / MAX_STREAMS).max(1)),
            None => SLOWEST,
        }
    }

    /// How long a target may take to put so many parts together.
    #[must_use]
    pub fn complete_timeout(&self, parts: usize) -> Duration {
        let seconds = u64::try_from(parts / PARTS_PER_SECOND).unwrap_or_default();
        self.timeout + Duration::from_secs(seconds)
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
        let rate_limiter = RateLimiter::new(Some(1000));
        let now = Instant::now();
        let after = |seconds| now + Duration::from_millis(seconds);
        // A tenth of a second was saved up; then each waits for those before it.
        assert_eq!(rate_limiter.reserve(500, now), Duration::ZERO);
        assert_eq!(rate_limiter.reserve(500, now), Duration::from_millis(400));
        assert_eq!(rate_limiter.reserve(100, now), Duration::from_millis(900));
        assert_eq!(rate_limiter.reserve(100, after(400)), Duration::from_millis(600));
        // Nothing is saved up for longer.
        assert_eq!(rate_limiter.reserve(200, after(60_000)), Duration::ZERO);
        assert_eq!(rate_limiter.reserve(1, after(60_000)), Duration::from_millis(100));
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let rate_limiter = RateLimiter::new(None);
        for _ in 0..10 {
            assert_eq!(rate_limiter.reserve(usize::MAX, Instant::now()), Duration::ZERO);
        }
    }

    #[test]
    fn many_parts_get_more_time() {
        let rate_limiter = RateLimiter::new(None);
        for (parts, seconds) in [(1, 30), (32, 31), (10_000, 342)] {
            assert_eq!(rate_limiter.complete_timeout(parts), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn what_is_on_its_way_gets_more_time_but_not_without_end() {
        const MIB: u64 = 1024 * 1024;
        let seconds = |limit, taken| RateLimiter::new(limit).progress_timeout(taken).as_secs();
        assert_eq!(RateLimiter::new(None).timeout(), Duration::from_secs(30));
        assert_eq!(seconds(None, 0), 30);
        assert_eq!(seconds(None, MIB), 62);
        for taken in [2 * MIB, 8 * MIB, 5 * 1024 * MIB] {
            assert_eq!(seconds(None, taken), 94);
        }
        assert_eq!(seconds(Some(1000 * MIB), MIB), 62, "a high limit changes nothing");
        // Sixteen streams share 128 KiB a second.
        assert_eq!(seconds(Some(MIB / 8), MIB), 30 + 128);
    }
}
