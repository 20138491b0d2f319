//! Sessions of users who signed in with a password.
//!
//! A session has access tokens, which are valid for minutes and are checked by their signature and by the session that they
//! name; and a refresh token, which is valid for one exchange for a new pair. Refresh tokens are stored as hashes only.
//!
//! A refresh token that is presented again after it was exchanged has two holders, and which of them stole it cannot be told:
//! the session ends for both. The one case in which an honest client sends a token twice, a lost answer, happens at
//! once: for [`GRACE`] the same exchange has the same answer.

use crate::time::saturating_add;
use crate::token::SecretHash;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long an access token is valid.
pub const ACCESS_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// How long a session lives that is not refreshed.
pub const IDLE_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a session lives at most.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(180 * 24);
/// For how long an exchange that is repeated has the same answer: longer than clients retry.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// How many characters of a client's name are kept.
const LONGEST_NAME: usize = 200;

/// What the client that began a session calls itself: its `User-Agent`. It is shown to the owner of the account, who tells
/// their machines apart by it; nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName(String);

impl ClientName {
    /// The name in this header. Control characters are left out, and what is longer than 200 characters is cut off.
    #[must_use]
    pub fn of(header: &str) -> Option<Self> {
        let printable = header.trim().chars().filter(|c| !c.is_control());
        let name: String = printable.take(LONGEST_NAME).collect();
        (!name.is_empty()).then_some(Self(name))
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The refresh tokens of a session, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshing {
    /// The one that can be exchanged.
    pub current: SecretHash,
    /// The one that was exchanged for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<SecretHash>,
    /// When the session began.
    pub began_at: Timestamp,
    /// When the current one was given.
    pub refreshed_at: Timestamp,
}

/// The result of presenting a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// It is valid: it is exchanged, and this is the new state of the session.
    New(Refreshing),
    /// It was exchanged just now: the same answer again.
    Again,
    /// It was exchanged before, or never was one: the session ends.
    Stolen,
    /// The session is over.
    Over,
}

impl Refreshing {
    /// A session that begins `now`.
    #[must_use]
    pub fn new(first: SecretHash, now: Timestamp) -> Self {
        Self {
            current: first,
            earlier: None,
            began_at: now,
            refreshed_at: now,
        }
    }

    /// When the session is over, unless it is refreshed.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        saturating_add(self.refreshed_at, IDLE_LIFETIME).min(saturating_add(self.began_at, LIFETIME))
    }

    /// The result of presenting a token at `now`, when `next` would be the one that follows the current one.
    #[must_use]
    pub fn exchange(&self, presented: &SecretHash, next: SecretHash, now: Timestamp) -> Exchange {
        if now >= self.ends_at() {
            return Exchange::Over;
        }
        if *presented == self.current {
            return Exchange::New(Self {
                current: next,
                earlier: Some(self.current.clone()),
                began_at: self.began_at,
                refreshed_at: now,
            });
        }
        let was_just_now = now < saturating_add(self.refreshed_at, GRACE);
        if was_just_now && self.earlier.as_ref() == Some(presented) {
            return Exchange::Again;
        }
        Exchange::Stolen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn hash(number: u64) -> SecretHash {
        SecretHash::of(&number.to_be_bytes())
    }

    #[test]
    fn a_client_is_called_what_can_be_shown() {
        let name = |header: &str| ClientName::of(header).map(|name| name.to_string());
        assert_eq!(
            name(" longshore/0.1 (linux)\u{1b}[2J "),
            Some("longshore/0.1 (linux)[2J".to_owned())
        );
        assert_eq!(name("  "), None);
        assert_eq!(name(&"x".repeat(1000)).unwrap().len(), LONGEST_NAME);
    }

    #[test]
    fn a_token_is_exchanged_once_and_answered_again_for_a_moment() {
        let session = Refreshing::new(hash(0), at(0));
        let Exchange::New(session) = session.exchange(&hash(0), hash(1), at(100)) else {
            panic!("not exchanged");
        };
        assert_eq!((&session.current, session.refreshed_at), (&hash(1), at(100)));
        assert_eq!(session.exchange(&hash(0), hash(2), at(399)), Exchange::Again);
        assert_eq!(session.exchange(&hash(0), hash(2), at(400)), Exchange::Stolen);
        assert_eq!(session.exchange(&hash(9), hash(2), at(101)), Exchange::Stolen);
        let Exchange::New(session) = session.exchange(&hash(1), hash(2), at(110)) else {
            panic!("not exchanged");
        };
        // Two exchanges ago, however short.
        assert_eq!(session.exchange(&hash(0), hash(3), at(111)), Exchange::Stolen);
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_half_a_year() {
        let day = |day: i64| at(day * 24 * 60 * 60);
        let idle = Refreshing::new(hash(0), day(0));
        assert_eq!(idle.exchange(&hash(0), hash(1), day(30)), Exchange::Over);
        let mut session = idle;
        for number in 1.. {
            let now = day(i64::try_from(number).unwrap() * 20);
            match session.exchange(&hash(number - 1), hash(number), now) {
                Exchange::New(next) => session = next,
                other => {
                    assert_eq!((other, now), (Exchange::Over, day(180)));
                    break;
                }
            }
        }
    }

    proptest! {
        /// When two holders of a token have both presented it, more than [`GRACE`] apart, the session is over.
        #[test]
        fn a_token_in_two_hands_ends_the_session(
            turns in prop::collection::vec((any::<bool>(), 1i64..100_000), 1..30),
        ) {
            let mut session = Some(Refreshing::new(hash(0), at(0)));
            // What each of the two has. Both begin with the same.
            let mut hands = [0u64, 0];
            let mut came = [None::<i64>, None];
            let (mut now, mut next) = (0, 0);
            for (who, wait) in turns {
                now += wait;
                let who = usize::from(who);
                let Some(current) = session.clone() else { break };
                next += 1;
                match current.exchange(&hash(hands[who]), hash(next), at(now)) {
                    Exchange::New(then) => {
                        (hands[who], session) = (next, Some(then));
                        came[who] = Some(now);
                    }
                    // The same answer: the token that the other one got.
                    Exchange::Again => {
                        hands[who] = hands[1 - who];
                        came[who] = None;
                        came[1 - who] = None;
                    }
                    Exchange::Stolen | Exchange::Over => session = None,
                }
                prop_assert!(
                    session.is_none() || came[0].is_none() || came[1].is_none(),
                    "both have exchanged a token, and neither was noticed"
                );
            }
        }
    }
}
