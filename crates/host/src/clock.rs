//! The time of day.

use domain::time::saturating_add;
use jiff::{SignedDuration, Timestamp, TimestampArithmetic};
use tokio::time::Instant;

/// Says what time it is, in whole milliseconds: what is stored and shown needs no more.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The moment at which it was made that it shows; none shows the machine's time.
    set_to: Option<(Timestamp, Instant)>,
}

impl Clock {
    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self { set_to: None }
    }

    /// A clock that shows `time` now, and goes on as tokio's time does: where a test pauses that, it stands still until
    /// everybody waits.
    #[must_use]
    pub fn set_to(time: Timestamp) -> Self {
        Self {
            set_to: Some((time, Instant::now())),
        }
    }

    /// The present moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "here is where it comes from")]
    pub fn now(self) -> Timestamp {
        let now = match self.set_to {
            None => Timestamp::now(),
            Some((time, at)) => saturating_add(time, at.elapsed()),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or_default()
    }

    /// The moment so long after the present one.
    #[must_use]
    pub fn from_now(self, wait: impl Into<TimestampArithmetic>) -> Timestamp {
        saturating_add(self.now(), wait)
    }

    /// How long it is until `time`. Zero when it has passed.
    #[must_use]
    pub fn until(self, time: Timestamp) -> SignedDuration {
        time.duration_since(self.now()).max(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_clock_that_is_set_goes_on_from_there() {
        let noon: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let clock = Clock::set_to(noon);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = clock.now();
        let (soon, late) = (SignedDuration::from_millis(20), SignedDuration::from_hours(1));
        assert!(noon + soon <= now && now < noon + late, "{now}");
        assert_eq!(clock.until(noon), SignedDuration::ZERO);
        let left = clock.until(clock.from_now(late));
        assert!(
            left <= late && left > late - SignedDuration::from_mins(30),
            "{left}"
        );
    }

    #[test]
    fn the_time_of_the_machine_is_in_whole_milliseconds() {
        let now = Clock::system().now();
        assert!(now > "2026-11-01T00:00:00Z".parse().unwrap(), "{now}");
        assert_eq!(now.subsec_nanosecond() % 1_000_000, 0);
    }
}
