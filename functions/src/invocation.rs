//! One invocation of a function that is triggered.

use host::Clock;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Context;
use tokio::time::Instant;

/// How long an invocation gets whose deadline is of no use.
const FALLBACK: SignedDuration = SignedDuration::from_mins(1);

/// What Lambda says of an invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its id. No other invocation has it.
    pub request_id: String,
    /// When it has to be done.
    pub deadline: Instant,
}

impl Invocation {
    /// One that begins now.
    pub(crate) fn new(context: &Context, clock: Clock) -> Self {
        let deadline = Timestamp::try_from(context.deadline()).unwrap_or_default();
        Self {
            request_id: context.request_id.clone(),
            deadline: Instant::now() + left(deadline, clock.now()).unsigned_abs(),
        }
    }
}

/// `cargo lambda watch` gives every invocation the same deadline, ten minutes after 1970: taken at its word, there would
/// never be any time.
fn left(deadline: Timestamp, now: Timestamp) -> SignedDuration {
    let left = deadline.duration_since(now);
    if left.is_positive() { left } else { FALLBACK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_deadline_that_is_over_before_it_began_is_replaced() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let soon = SignedDuration::from_millis(1);
        assert_eq!(left(now + soon, now), soon);
        assert_eq!(left(now, now), FALLBACK);
        let of_cargo_lambda = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(10);
        assert_eq!(left(of_cargo_lambda, now), FALLBACK);
    }
}
