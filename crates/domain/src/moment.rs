//! Arithmetic on times.

use jiff::{Timestamp, TimestampArithmetic};

/// `moment + wait`, or the last time that can be represented if that is later.
#[must_use]
pub fn later(moment: Timestamp, wait: impl Into<TimestampArithmetic>) -> Timestamp {
    moment.checked_add(wait).unwrap_or(Timestamp::MAX)
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
        assert_eq!(later(start, SignedDuration::from_mins(1)), end);
        assert_eq!(later(start, Duration::from_mins(1)), end);
        assert_eq!(later(end, SignedDuration::MAX), Timestamp::MAX);
    }
}
