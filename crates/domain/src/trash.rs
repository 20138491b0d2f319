//! How long something is in the trash, and what goes with it then.

use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How far the clocks of two functions may be apart. Those of Lambda follow Amazon Time Sync, to less than a millisecond. It has to
/// be less than the time that a program takes from the answer to an upload to a request to delete the folder.
const SKEW: SignedDuration = SignedDuration::from_millis(2);

/// When something that comes into the trash at a moment, and may stay there for so many days, is removed.
#[must_use]
pub fn expires_at(trashed_at: Timestamp, days: u64) -> Timestamp {
    let stay = Duration::from_secs(days.saturating_mul(24 * 60 * 60));
    saturating_add(trashed_at, stay)
}

/// Whether something within a folder that is in the trash was made, brought there or changed after the folder came into the
/// trash: an upload into a folder deep within it does not see the trash. It was accepted, so it is not removed with the folder.
///
/// Each of both moments is within its request, which therefore may be thought of as done just then, and the two in this order.
#[must_use]
pub fn came_later(changed_at: Timestamp, trashed_at: Timestamp) -> bool {
    saturating_add(changed_at, SKEW) > trashed_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_24_hours_and_end() {
        let now: Timestamp = "2026-03-28T12:00:00Z".parse().unwrap();
        let then: Timestamp = "2026-04-27T12:00:00Z".parse().unwrap();
        assert_eq!(expires_at(now, 30), then);
        assert_eq!(expires_at(now, 0), now);
        assert_eq!(expires_at(now, u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn what_is_accepted_afterwards_stays_even_if_clocks_differ() {
        let trashed_at: Timestamp = "2026-03-28T12:00:00Z".parse().unwrap();
        let after = |millis| came_later(trashed_at + SignedDuration::from_millis(millis), trashed_at);
        assert!(after(1) && after(0) && after(-1));
        assert!(!after(-2) && !after(-100_000));
        assert!(!came_later(Timestamp::UNIX_EPOCH, trashed_at));
    }
}
