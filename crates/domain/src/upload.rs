//! The states of an upload and what may happen in each.
//!
//! ```text
//! open -> finalizing -> complete        open -> aborted | expired
//!   ^---------'  (parts missing or other bytes than announced)
//! ```
//!
//! Finalizing is a lease: whoever holds it turns the parts into a blob; when it runs out, anybody may take over.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A finalize holds its lease for as long as it waits for the store, and this much longer for the rest of its
/// work: others should take over from the dead, not compete with the living. Should they compete all the same,
/// the transaction at the end lets one win.
pub const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(25);

/// How long after its end an upload may still have left something at the store: a request that was under way
/// when it ended, at most a function's whole life (15 minutes).
pub const AFTERMATH: SignedDuration = SignedDuration::from_mins(15);

/// How long an upload stays open without being touched, unless configured otherwise.
pub const DEFAULT_EXPIRY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long an ended upload can still be asked about.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// The states of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Parts are being sent.
    Open,
    /// Somebody turns the parts into a blob.
    Finalizing,
    /// There is a file.
    Complete,
    /// The client gave it up.
    Aborted,
    /// Nobody touched it for too long.
    Expired,
}

impl State {
    /// Nothing will happen to the upload any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Aborted | Self::Expired)
    }
}

/// What decides about an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Where it stands.
    pub state: State,
    /// When an untouched open upload expires.
    pub expires_at: Timestamp,
    /// Until when a finalize holds it.
    pub lease_until: Option<Timestamp>,
}

/// What can happen to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants to finalize, and will wait this long for the store.
    Lease(SignedDuration),
    /// The holder of the lease found that the parts are not (yet) what they should be.
    Release,
    /// The holder of the lease made the file.
    Commit,
    /// The client gives up.
    Abort,
    /// The sweep looks whether it is too old.
    Expire,
}

/// What has to be done besides writing the new state down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Give the reserved bytes back to the account, in the same write.
    ReturnReservation,
    /// Abort the multipart upload at the store, after the write.
    DiscardParts,
}

/// Why an event does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else is finalizing it.
    #[error("the upload is being finalized until {0}; ask again")]
    Held(Timestamp),
    /// It ended.
    #[error("the upload ended: it is {0:?}")]
    Ended(State),
    /// It is not old enough to expire.
    #[error("the upload expires at {0}")]
    NotYet(Timestamp),
    /// Only the holder of the lease may do this.
    #[error("the upload is not being finalized")]
    NotHeld,
}

/// What becomes of an upload when `event` happens at `now`.
///
/// # Errors
/// [`Refusal`] when the event does not apply; nothing changes then.
pub fn step(
    session: &Session,
    event: Event,
    now: Timestamp,
) -> Result<(Session, &'static [Effect]), Refusal> {
    const GIVE_UP: &[Effect] = &[Effect::ReturnReservation, Effect::DiscardParts];
    let held = session
        .lease_until
        .filter(|until| session.state == State::Finalizing && *until > now);
    let to = |state| Session {
        state,
        expires_at: session.expires_at,
        lease_until: None,
    };
    match (event, session.state) {
        (_, ended) if ended.is_final() => Err(Refusal::Ended(ended)),
        (Event::Lease(patience), _) => match held {
            Some(until) => Err(Refusal::Held(until)),
            None => {
                let lease_until = now.saturating_add(patience.saturating_add(LEASE_MARGIN)).ok();
                Ok((
                    Session {
                        lease_until,
                        ..to(State::Finalizing)
                    },
                    &[],
                ))
            }
        },
        (Event::Release, State::Finalizing) => Ok((to(State::Open), &[])),
        (Event::Commit, State::Finalizing) => Ok((to(State::Complete), &[])),
        (Event::Release | Event::Commit, _) => Err(Refusal::NotHeld),
        // A finalize whose lease ran out may have made the object already: it is finished, never thrown away.
        (Event::Abort | Event::Expire, State::Finalizing) => {
            Err(Refusal::Held(held.or(session.lease_until).unwrap_or(now)))
        }
        (Event::Abort, _) => Ok((to(State::Aborted), GIVE_UP)),
        (Event::Expire, _) if session.expires_at > now => Err(Refusal::NotYet(session.expires_at)),
        (Event::Expire, _) => Ok((to(State::Expired), GIVE_UP)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATIENT: Event = Event::Lease(SignedDuration::from_secs(20));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop::sample::select(vec![
            PATIENT,
            Event::Release,
            Event::Commit,
            Event::Abort,
            Event::Expire,
        ])
    }

    #[test]
    fn a_lease_is_exclusive_until_it_runs_out() {
        let open = Session {
            state: State::Open,
            expires_at: at(1000),
            lease_until: None,
        };
        let (held, _) = step(&open, PATIENT, at(0)).unwrap();
        assert_eq!(step(&held, PATIENT, at(44)), Err(Refusal::Held(at(45))));
        let (taken_over, _) = step(&held, PATIENT, at(45)).unwrap();
        assert_eq!(taken_over.lease_until, Some(at(90)));
    }

    #[test]
    fn a_finalize_is_never_thrown_away() {
        let held = Session {
            state: State::Finalizing,
            expires_at: at(10),
            lease_until: Some(at(45)),
        };
        for now in [0, 44, 45, 10_000] {
            assert!(step(&held, Event::Abort, at(now)).is_err());
            assert!(step(&held, Event::Expire, at(now)).is_err());
        }
    }

    proptest! {
        // Whatever happens, in whatever order: the reservation is returned at most once, and exactly when the
        // upload ends without a file.
        #[test]
        fn reservations_are_returned_once(events in prop::collection::vec((any_event(), 0i64..40), 0..60)) {
            let mut session = Session { state: State::Open, expires_at: at(300), lease_until: None };
            let (mut now, mut returned) = (0, 0);
            for (event, wait) in events {
                now += wait;
                if let Ok((next, effects)) = step(&session, event, at(now)) {
                    prop_assert!(!session.state.is_final());
                    returned += effects.iter().filter(|e| **e == Effect::ReturnReservation).count();
                    session = next;
                }
            }
            let ended_without_file = matches!(session.state, State::Aborted | State::Expired);
            prop_assert_eq!(returned, usize::from(ended_without_file));
        }
    }
}
