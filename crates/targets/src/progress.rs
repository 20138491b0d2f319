//! Whether a stream to a target makes progress: a request is given up when it does not, however long it takes otherwise.

use crate::error::Cause;
use crate::rate_limiter::RateLimiter;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The progress of a stream, as its reader sees it.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// When a piece was taken last, or may be sent at the earliest.
    pub at: Instant,
    /// How many bytes were taken.
    pub taken: u64,
}

impl Progress {
    pub(crate) fn begin() -> Self {
        Self {
            at: Instant::now(),
            taken: 0,
        }
    }

    /// A piece is taken, and may be sent after `pause`.
    pub(crate) fn took(&mut self, bytes: usize, pause: Duration) {
        self.taken += u64::try_from(bytes).unwrap_or(u64::MAX);
        self.at = Instant::now() + pause;
    }
}

/// A request without progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Still {
    taken: u64,
    after: Duration,
    slowest: u64,
}

impl Still {
    /// Why it was given up.
    pub(crate) fn cause(self, length: u64) -> Cause {
        let Self {
            taken,
            after,
            slowest,
        } = self;
        let seconds = after.as_secs();
        let shown = format!("no progress for {seconds} seconds");
        let text =
            format!("{shown}: {taken} of {length} bytes were taken; {slowest} bytes a second are enough");
        Cause::new(shown, text)
    }
}

/// Waits for the answer to a request with a stream, for as long as the stream makes progress.
pub(crate) async fn watch<T>(
    rate_limiter: &RateLimiter,
    progress: impl Fn() -> Progress,
    request: impl Future<Output = T>,
) -> Result<T, Still> {
    let mut request = pin!(request);
    loop {
        let seen = progress();
        let after = rate_limiter.progress_timeout(seen.taken);
        if let Ok(answer) = timeout_at(seen.at + after, &mut request).await {
            return Ok(answer);
        }
        if progress().at == seen.at {
            return Err(Still {
                taken: seen.taken,
                after,
                slowest: rate_limiter.slowest(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::time::sleep;

    fn rate_limiter() -> RateLimiter {
        RateLimiter::new(None).with_timeout(Duration::from_millis(400))
    }

    #[tokio::test]
    async fn what_moves_may_take_as_long_as_it_likes() {
        let progress = Mutex::new(Progress::begin());
        let request = async {
            for _ in 0..20 {
                sleep(Duration::from_millis(40)).await;
                progress.lock().unwrap().took(1, Duration::ZERO);
            }
            7
        };
        let answer = watch(&rate_limiter(), || *progress.lock().unwrap(), request).await;
        assert_eq!(answer, Ok(7));
    }

    #[tokio::test]
    async fn what_does_not_move_is_given_up_and_says_where() {
        let progress = Mutex::new(Progress::begin());
        let request = async {
            progress.lock().unwrap().took(1000, Duration::ZERO);
            std::future::pending::<()>().await;
        };
        let begun = Instant::now();
        let still = watch(&rate_limiter(), || *progress.lock().unwrap(), request).await;
        let cause = still.unwrap_err().cause(5000);
        assert!(begun.elapsed() < Duration::from_secs(5));
        let cause = format!("{cause:?}");
        assert!(cause.contains("1000 of 5000 bytes"), "{cause}");
    }

    #[tokio::test]
    async fn a_pause_that_was_asked_for_is_no_standstill() {
        let mut progress = Progress::begin();
        progress.took(1, Duration::from_millis(500));
        let request = sleep(Duration::from_millis(600));
        assert!(watch(&rate_limiter(), || progress, request).await.is_ok());
    }
}
