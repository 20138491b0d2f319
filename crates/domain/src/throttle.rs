//! Rate limits on attempts.
//!
//! Two rules. An allowance is a number an hour, and then a wait for the next hour. [`Attempts`] are at a secret that
//! can be guessed: a few are free, and then each has to wait twice as long as the one before. They are counted for one
//! source and one username, so attempts from elsewhere do not lock an owner out.

use crate::time::saturating_add;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;

/// How many wrong attempts have no wait: people mistype, and programs begin several sessions at once.
pub const FREE_ATTEMPTS: u32 = 10;
/// The longest wait after a wrong attempt.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// When attempts are forgotten, counted from the last one.
pub const ATTEMPTS_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// How long a source is remembered from which a user has signed in. Much longer than a session lives: a user who uses one every
/// day until it ends is still known at their address.
pub const SOURCE_KNOWN: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Where a request came from, as it is counted and kept: a hash of the address. An IPv6 address counts with all others of
/// its /64, which is what one household or one machine has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source(String);

impl Source {
    /// The source with this address, as the gateway saw it. All that have none are one source.
    #[must_use]
    pub fn of(address: Option<&str>) -> Self {
        let text = match address.map(str::parse) {
            Some(Ok(IpAddr::V4(address))) => address.to_string(),
            Some(Ok(IpAddr::V6(address))) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => (address.to_bits() >> 64).to_string(),
            },
            Some(Err(_)) | None => String::new(),
        };
        Self(hash("source", &text))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hash that is stored instead of a private text. Texts of different kinds never have the same hash.
#[must_use]
pub fn hash(kind: &str, text: &str) -> String {
    let hash = Sha256::new().chain_update(kind).chain_update("\0");
    URL_SAFE_NO_PAD.encode(hash.chain_update(text).finalize())
}

/// Attempts at one secret that were not right, or not known to be yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl Attempts {
    /// The attempts with one more at `now`. It is counted before it is known to be wrong: many at once would all be
    /// free otherwise.
    ///
    /// # Errors
    /// How long to wait, if this one is too early. It does not count then.
    pub fn one_more(before: Option<&Self>, now: Timestamp) -> Result<Self, SignedDuration> {
        let before = before.filter(|before| now < before.forgotten_at());
        if let Some(before) = before {
            let opens_at = saturating_add(before.last_at, wait_after(before.count));
            if now < opens_at {
                return Err(opens_at.duration_since(now));
            }
        }
        Ok(Self {
            count: before.map_or(0, |before| before.count).saturating_add(1),
            last_at: now,
        })
    }

    /// When they are forgotten.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        saturating_add(self.last_at, ATTEMPTS_REMEMBERED)
    }
}

/// The wait after so many attempts.
fn wait_after(count: u32) -> SignedDuration {
    match count.checked_sub(FREE_ATTEMPTS) {
        None => SignedDuration::ZERO,
        Some(beyond) => SignedDuration::from_secs(1 << beyond.min(30)).min(LONGEST_WAIT),
    }
}

/// The hour that allowances are counted for, from 1970.
#[must_use]
pub fn hour_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3600)
}

/// How long until the next hour's allowance.
#[must_use]
pub fn until_next_hour(now: Timestamp) -> SignedDuration {
    SignedDuration::from_secs((hour_of(now) + 1) * 3600 - now.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour() {
        let seconds = |count| wait_after(count).as_secs();
        assert_eq!(seconds(FREE_ATTEMPTS - 1), 0);
        let grown: Vec<i64> = (FREE_ATTEMPTS..FREE_ATTEMPTS + 12).map(seconds).collect();
        assert_eq!(grown, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(seconds(u32::MAX), 900);
    }

    #[test]
    fn attempts_are_forgotten_after_a_day() {
        let many = Attempts {
            count: 50,
            last_at: at(0),
        };
        let day = ATTEMPTS_REMEMBERED.as_secs();
        assert_eq!(Attempts::one_more(Some(&many), at(day - 1)).unwrap().count, 51);
        assert_eq!(Attempts::one_more(Some(&many), at(day)).unwrap().count, 1);
    }

    #[test]
    fn an_attempt_that_comes_too_early_does_not_count() {
        let ten = Attempts {
            count: FREE_ATTEMPTS + 3,
            last_at: at(100),
        };
        assert_eq!(
            Attempts::one_more(Some(&ten), at(105)),
            Err(SignedDuration::from_secs(3))
        );
        assert_eq!(
            Attempts::one_more(Some(&ten), at(108)).unwrap().count,
            FREE_ATTEMPTS + 4
        );
    }

    #[test]
    fn sources_are_addresses_or_networks() {
        let same = |a, b| Source::of(Some(a)) == Source::of(Some(b));
        assert!(!same("203.0.113.7", "203.0.113.8"));
        assert!(same("203.0.113.7", "::ffff:203.0.113.7"));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert_eq!(Source::of(Some("nonsense")), Source::of(None));
        assert_ne!(Source::of(None), Source::of(Some("203.0.113.7")));
        assert!(!Source::of(Some("203.0.113.7")).to_string().contains("203"));
    }

    #[test]
    fn the_next_hour_is_at_most_an_hour_away() {
        assert_eq!(until_next_hour(at(7200)).as_secs(), 3600);
        assert_eq!(until_next_hour(at(7199)).as_secs(), 1);
        assert_eq!(hour_of(at(7199)), 1);
    }

    proptest! {
        /// However guesses are timed, there are no more of them in a day than the waits allow.
        #[test]
        fn nobody_guesses_often(pauses in proptest::collection::vec(0i64..2000, 1..400)) {
            let (mut now, mut attempts, mut listened) = (0, None, Vec::new());
            for pause in pauses {
                now += pause;
                if let Ok(more) = Attempts::one_more(attempts.as_ref(), at(now)) {
                    listened.push(now);
                    attempts = Some(more);
                }
            }
            let day = ATTEMPTS_REMEMBERED.as_secs();
            for (index, start) in listened.iter().enumerate() {
                let in_a_day = listened[index..].iter().filter(|at| **at < start + day).count();
                // Ten free ones, ten that double up to 512 seconds, and then four an hour.
                prop_assert!(in_a_day <= 10 + 10 + 1 + 4 * 24, "{in_a_day}");
            }
        }
    }
}
