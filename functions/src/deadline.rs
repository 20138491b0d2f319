//! How long an invocation may take.

use lambda_runtime::Context;
use std::time::{Duration, SystemTime};

/// What an invocation gets whose deadline is of no use.
const FALLBACK: Duration = Duration::from_mins(1);

/// When an invocation that begins now has to be done. `cargo lambda watch` gives every invocation the same deadline,
/// ten minutes after 1970: taken at its word, there would never be any time.
#[must_use]
pub fn deadline(context: &Context) -> SystemTime {
    usable(context.deadline(), SystemTime::now())
}

fn usable(deadline: SystemTime, now: SystemTime) -> SystemTime {
    if deadline > now { deadline } else { now + FALLBACK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_deadline_that_is_over_before_it_began_is_replaced() {
        let now = SystemTime::now();
        let soon = now + Duration::from_millis(1);
        assert_eq!(usable(soon, now), soon);
        assert_eq!(usable(now, now), now + FALLBACK);
        let of_cargo_lambda = SystemTime::UNIX_EPOCH + Duration::from_mins(10);
        assert_eq!(usable(of_cargo_lambda, now), now + FALLBACK);
    }
}
