//! Arithmetic on times.

use jiff::{Timestamp, TimestampArithmetic};

/// `time + wait`, or the last time that can be represented if that is later.
#[must_use]
pub fn saturating_add(time: Timestamp, wait: impl Into<TimestampArithmetic>) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use std::time::Duration;

    #[test]
    fn nothing_is_after_the_last_moment() {
        let start = Timestamp::from_second(100).unwrap();
        let end = Timestamp::from_second(160).unwrap();
        assert_eq!(saturating_add(start, SignedDuration::from_mins(1)), end);
        assert_eq!(saturating_add(start, Duration::from_mins(1)), end);
        assert_eq!(saturating_add(end, SignedDuration::MAX), Timestamp::MAX);
    }
}
