//! The states of an upload and what may happen in each.
//!
//! ```text
//! open -> finalizing -> complete        open -> aborted | expired
//!   ^---------'  (parts missing, other bytes than announced, name taken)
//!   ^-- proof_required -> complete      proof_required -> aborted | expired
//!       (wrong, late or no answer)
//! ```
//!
//! Finalizing is a lease: its holder turns the parts into a blob; when it runs out, another caller may take over.

use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A finalize holds its lease for as long as it waits for the store, and this much longer for the rest of its
/// work: others should take over from a dead holder, not compete with a live one. Should they compete all the same,
/// the transaction at the end lets one win.
pub const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(25);

/// How long after its end an upload may still have left something at the store: a request that was under way
/// when it ended, at most a function's whole life (15 minutes).
pub const AFTERMATH: SignedDuration = SignedDuration::from_mins(15);

/// How long an upload stays open without being touched, unless configured otherwise.
pub const DEFAULT_EXPIRY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long after its creation the sweep first checks an upload. Most have ended by then, and have been written into the
/// index of what is due once.
pub const FIRST_CHECK: SignedDuration = SignedDuration::from_mins(5);

/// How long after a lease has run out the sweep checks it, at most. Not shorter than [`FIRST_CHECK`]: then a
/// lease that is taken before the first check does not change when that is.
pub const LATEST_CHECK: SignedDuration = SignedDuration::from_mins(5);

/// How long an ended upload can still be asked about.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// The states of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UploadState")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Parts are being sent.
    Open,
    /// Another account has the bytes; a client that can prove that it has them, too, need not send them.
    ProofRequired,
    /// A lease holder turns the parts into a blob.
    Finalizing,
    /// There is a file.
    Complete,
    /// The client aborted it.
    Aborted,
    /// It was not used for too long.
    Expired,
}

impl State {
    /// Nothing will happen to the upload any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Aborted | Self::Expired)
    }

    /// What the sweep does when an upload in this state is due.
    #[must_use]
    pub fn sweep_action(self) -> SweepAction {
        match self {
            Self::Open | Self::ProofRequired => SweepAction::Expire,
            Self::Finalizing => SweepAction::TakeOver,
            Self::Complete | Self::Aborted | Self::Expired => SweepAction::Discard,
        }
    }
}

/// What the sweep does with an upload that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepAction {
    /// Let it expire.
    Expire,
    /// Finalize it: the lease holder is gone.
    TakeOver,
    /// Discard what it left at the store.
    Discard,
}

/// The state of an upload that its rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    /// Its state.
    pub state: State,
    /// When an untouched open upload expires.
    pub expires_at: Timestamp,
    /// Until when a finalize holds it.
    pub lease_until: Option<Timestamp>,
    /// Until when its challenge can be answered.
    pub challenge_until: Option<Timestamp>,
}

/// How an upload begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Its bytes will be sent.
    Sending,
    /// Its bytes need not be sent if the client answers a challenge until then.
    Challenged(Timestamp),
    /// The account has a file with its bytes: there is nothing to send.
    AtOnce,
}

impl Lifecycle {
    /// A new upload that expires at `expires_at` if it is not used.
    #[must_use]
    pub fn new(beginning: Beginning, expires_at: Timestamp) -> Self {
        let (state, challenge_until) = match beginning {
            Beginning::Sending => (State::Open, None),
            Beginning::Challenged(until) => (State::ProofRequired, Some(until)),
            Beginning::AtOnce => (State::Complete, None),
        };
        Self {
            state,
            expires_at,
            lease_until: None,
            challenge_until,
        }
    }

    /// Its state as callers see it at `now`: a challenge that is over need not be answered.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> State {
        match self.state {
            State::ProofRequired if self.challenge_until.is_none_or(|until| until <= now) => State::Open,
            state => state,
        }
    }

    /// It was not used for too long: it is over, even before the sweep has marked it.
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Open | State::ProofRequired) && self.expires_at <= now
    }

    /// Parts may be sent, or a challenge answered.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Open | State::ProofRequired) && self.expires_at > now
    }
}

/// What can happen to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadEvent {
    /// The client is about to send parts: it stays open for this long from now.
    Touch(SignedDuration),
    /// The store has lost what was sent: the next part begins a new multipart upload.
    LoseParts,
    /// The client has proved that it has the bytes.
    Prove,
    /// The answer to the challenge was wrong or late.
    FailProof,
    /// A caller wants to finalize, and will wait this long for the store.
    Lease(SignedDuration),
    /// The holder of the lease found that the parts are not (yet) what they should be.
    Release,
    /// The holder of the lease makes the file, of the upload's own object or of a blob that has the content already.
    Commit(ContentSource),
    /// The client aborts it.
    Abort,
    /// The sweep checks whether it has expired.
    Expire,
}

/// Which bytes a file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentSource {
    /// Those that were sent: they become a blob.
    Own,
    /// Those of a blob that has the content already. What was sent is not needed.
    Shared,
}

/// What has to be done besides storing the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Release the reserved bytes of the account, in the same write.
    ReturnReservation,
    /// Make the file, in the same write. The reserved bytes are the file's from then on.
    MakeFile,
    /// Discard what was sent to the store, after the write.
    DiscardParts,
}

/// Why an event does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another caller is finalizing it.
    #[error("the upload is being finalized until {0}; ask again")]
    Held(Timestamp),
    /// It ended.
    #[error("the upload ended: it is {0:?}")]
    Ended(State),
    /// It is not old enough to expire.
    #[error("the upload expires at {0}")]
    NotYet(Timestamp),
    /// It was not used for too long; the sweep will mark it.
    #[error("the upload expired at {0}")]
    Lapsed(Timestamp),
    /// It has no challenge that could be answered (any more).
    #[error("the upload waits for no proof")]
    NoChallenge,
    /// Only the holder of the lease may do this.
    #[error("the upload is not being finalized")]
    NotHeld,
}

/// The state of an upload after `event` at `now`.
///
/// # Errors
/// [`Refusal`] when the event does not apply; nothing changes then.
pub fn step(
    lifecycle: &Lifecycle,
    event: UploadEvent,
    now: Timestamp,
) -> Result<(Lifecycle, &'static [Effect]), Refusal> {
    const GIVE_UP: &[Effect] = &[Effect::ReturnReservation, Effect::DiscardParts];
    let held = lifecycle
        .lease_until
        .filter(|until| lifecycle.state == State::Finalizing && *until > now);
    let to = |state| Lifecycle {
        state,
        expires_at: lifecycle.expires_at,
        lease_until: None,
        challenge_until: None,
    };
    match (event, lifecycle.state) {
        (_, ended @ (State::Complete | State::Aborted | State::Expired)) => Err(Refusal::Ended(ended)),
        (UploadEvent::Touch(_) | UploadEvent::Lease(_) | UploadEvent::Prove | UploadEvent::FailProof, _)
            if lifecycle.has_lapsed(now) =>
        {
            Err(Refusal::Lapsed(lifecycle.expires_at))
        }
        // A client that sends parts does not want to answer a challenge any more.
        (UploadEvent::Touch(expiry), State::Open | State::ProofRequired) => {
            let expires_at = saturating_add(now, expiry);
            Ok((
                Lifecycle {
                    expires_at: lifecycle.expires_at.max(expires_at),
                    ..to(State::Open)
                },
                &[],
            ))
        }
        (UploadEvent::LoseParts, State::Open | State::ProofRequired) => Ok((*lifecycle, &[])),
        (UploadEvent::Prove, State::ProofRequired) if lifecycle.state_at(now) == State::ProofRequired => {
            Ok((to(State::Complete), &[Effect::MakeFile]))
        }
        (UploadEvent::FailProof, State::ProofRequired) | (UploadEvent::Release, State::Finalizing) => {
            Ok((to(State::Open), &[]))
        }
        (UploadEvent::Prove | UploadEvent::FailProof, _) => Err(Refusal::NoChallenge),
        (UploadEvent::Lease(timeout), _) => match held {
            Some(until) => Err(Refusal::Held(until)),
            None => {
                let lease_until = saturating_add(now, timeout.saturating_add(LEASE_MARGIN));
                Ok((
                    Lifecycle {
                        lease_until: Some(lease_until),
                        ..to(State::Finalizing)
                    },
                    &[],
                ))
            }
        },
        (UploadEvent::Commit(ContentSource::Own), State::Finalizing) => {
            Ok((to(State::Complete), &[Effect::MakeFile]))
        }
        (UploadEvent::Commit(ContentSource::Shared), State::Finalizing) => {
            Ok((to(State::Complete), &[Effect::MakeFile, Effect::DiscardParts]))
        }
        (UploadEvent::Release | UploadEvent::Commit(_), _) => Err(Refusal::NotHeld),
        // A finalize whose lease ran out may have made the object already: it is finished, never thrown away.
        (
            UploadEvent::Touch(_) | UploadEvent::LoseParts | UploadEvent::Abort | UploadEvent::Expire,
            State::Finalizing,
        ) => Err(Refusal::Held(held.or(lifecycle.lease_until).unwrap_or(now))),
        (UploadEvent::Abort, _) => Ok((to(State::Aborted), GIVE_UP)),
        (UploadEvent::Expire, _) if !lifecycle.has_lapsed(now) => Err(Refusal::NotYet(lifecycle.expires_at)),
        (UploadEvent::Expire, _) => Ok((to(State::Expired), GIVE_UP)),
    }
}

/// When the sweep next checks an upload that has not ended, where it would have checked it at `noted`. It need not be
/// exact: one that is checked too early is checked again later; too late is after the upload has expired, or long after
/// its lease has run out. So that time seldom changes, which is two writes each time.
#[must_use]
pub fn next_check(lifecycle: &Lifecycle, noted: Option<Timestamp>) -> Timestamp {
    let (best, latest) = match lifecycle.lease_until {
        Some(until) if lifecycle.state == State::Finalizing => (until, saturating_add(until, LATEST_CHECK)),
        _ => (lifecycle.expires_at, lifecycle.expires_at),
    };
    noted.filter(|at| *at <= latest).unwrap_or(best)
}

/// When the sweep has to discard once more what an upload that ended at `ended_at` left at the store: a request that was
/// under way at its end may have arrived after this check at `now`. `None`: this check was the last.
#[must_use]
pub fn discard_again(ended_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let settled = saturating_add(ended_at?, AFTERMATH);
    (settled > now).then_some(settled)
}

#[cfg(test)]
mod tests;
