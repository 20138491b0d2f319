use super::*;
use proptest::prelude::*;

const PATIENT: UploadEvent = UploadEvent::Lease(SignedDuration::from_secs(20));

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_quick_upload_is_looked_at_once_and_a_dead_one_soon() {
    let open = Lifecycle::new(Beginning::Sending, at(7 * 86400));
    let first = next_check(&open, Some(saturating_add(at(0), FIRST_CHECK)));
    assert_eq!(first, at(300));
    // Whenever it is leased before that, nothing changes.
    for second in [0, 1, 299] {
        let (held, _) = step(&open, PATIENT, at(second)).unwrap();
        assert_eq!(next_check(&held, Some(first)), first);
        let (open, _) = step(&held, UploadEvent::Release, at(second + 1)).unwrap();
        assert_eq!(next_check(&open, Some(first)), first);
    }
    // Found unused, it is not checked until it expires; and from then on a lease is checked when it runs out.
    assert_eq!(next_check(&open, None), open.expires_at);
    let (held, _) = step(&open, PATIENT, at(10_000)).unwrap();
    assert_eq!(next_check(&held, Some(open.expires_at)), at(10_045));
    // One that expires sooner is checked sooner.
    let short = Lifecycle::new(Beginning::Sending, at(60));
    assert_eq!(next_check(&short, Some(first)), at(60));
}

fn any_event() -> impl Strategy<Value = UploadEvent> {
    prop::sample::select(vec![
        PATIENT,
        UploadEvent::Touch(SignedDuration::from_secs(200)),
        UploadEvent::LoseParts,
        UploadEvent::Prove,
        UploadEvent::FailProof,
        UploadEvent::Release,
        UploadEvent::Commit(ContentSource::Own),
        UploadEvent::Commit(ContentSource::Shared),
        UploadEvent::Abort,
        UploadEvent::Expire,
    ])
}

#[test]
fn a_lease_is_exclusive_until_it_runs_out() {
    let open = Lifecycle {
        state: State::Open,
        expires_at: at(1000),
        lease_until: None,
        challenge_until: None,
    };
    let (held, _) = step(&open, PATIENT, at(0)).unwrap();
    assert_eq!(step(&held, PATIENT, at(44)), Err(Refusal::Held(at(45))));
    let (taken_over, _) = step(&held, PATIENT, at(45)).unwrap();
    assert_eq!(taken_over.lease_until, Some(at(90)));
}

#[test]
fn a_finalize_is_never_thrown_away() {
    let held = Lifecycle {
        state: State::Finalizing,
        expires_at: at(10),
        lease_until: Some(at(45)),
        challenge_until: None,
    };
    for now in [0, 44, 45, 10_000] {
        assert!(step(&held, UploadEvent::Abort, at(now)).is_err());
        assert!(step(&held, UploadEvent::Expire, at(now)).is_err());
    }
}

#[test]
fn a_challenge_is_answered_once_and_in_time() {
    let challenged = Lifecycle {
        state: State::ProofRequired,
        expires_at: at(1000),
        lease_until: None,
        challenge_until: Some(at(300)),
    };
    let (complete, effects) = step(&challenged, UploadEvent::Prove, at(299)).unwrap();
    assert_eq!(
        (complete.state, effects),
        (State::Complete, &[Effect::MakeFile][..])
    );
    assert_eq!(
        step(&challenged, UploadEvent::Prove, at(300)),
        Err(Refusal::NoChallenge)
    );
    assert_eq!(challenged.state_at(at(300)), State::Open);
    for event in [UploadEvent::FailProof, UploadEvent::Touch(SignedDuration::ZERO)] {
        let (open, _) = step(&challenged, event, at(10)).unwrap();
        assert_eq!((open.state, open.challenge_until), (State::Open, None));
        assert_eq!(step(&open, UploadEvent::Prove, at(11)), Err(Refusal::NoChallenge));
    }
}

#[test]
fn nothing_is_sent_to_an_upload_that_lapsed() {
    let open = Lifecycle {
        state: State::Open,
        expires_at: at(100),
        lease_until: None,
        challenge_until: None,
    };
    for event in [PATIENT, UploadEvent::Touch(SignedDuration::from_secs(9))] {
        assert_eq!(step(&open, event, at(100)), Err(Refusal::Lapsed(at(100))));
    }
    let (touched, _) = step(&open, UploadEvent::Touch(SignedDuration::from_secs(50)), at(90)).unwrap();
    assert_eq!(touched.expires_at, at(140));
    let (touched, _) = step(&open, UploadEvent::Touch(SignedDuration::from_secs(5)), at(90)).unwrap();
    assert_eq!(touched.expires_at, at(100), "never sooner");
    assert!(step(&open, UploadEvent::Expire, at(100)).is_ok());
}

#[test]
fn what_an_ended_upload_left_is_looked_at_until_nothing_can_come_any_more() {
    let end = AFTERMATH.as_secs();
    assert_eq!(discard_again(Some(at(0)), at(end - 1)), Some(at(end)));
    assert_eq!(discard_again(Some(at(0)), at(end)), None);
}

proptest! {
    // Whatever happens, in whatever order: an upload ends once, either with its reservation returned or with a
    // file that takes it over.
    #[test]
    fn reservations_are_settled_once(
        challenged: bool,
        events in prop::collection::vec((any_event(), 0i64..40), 0..60),
    ) {
        let mut session = Lifecycle {
            state: if challenged { State::ProofRequired } else { State::Open },
            expires_at: at(300),
            lease_until: None,
            challenge_until: challenged.then_some(at(100)),
        };
        let (mut now, mut returned, mut files) = (0, 0, 0);
        let mut looked_at = next_check(&session, Some(saturating_add(at(0), FIRST_CHECK)));
        for (event, wait) in events {
            now += wait;
            if let Ok((next, effects)) = step(&session, event, at(now)) {
                prop_assert!(!session.state.is_final());
                returned += effects.iter().filter(|e| **e == Effect::ReturnReservation).count();
                files += effects.iter().filter(|e| **e == Effect::MakeFile).count();
                session = next;
                looked_at = next_check(&session, Some(looked_at));
                let too_late = match session.lease_until {
                    Some(until) if session.state == State::Finalizing => saturating_add(until, LATEST_CHECK),
                    _ => session.expires_at,
                };
                prop_assert!(session.state.is_final() || looked_at <= too_late);
            }
        }
        let ended_without_file = matches!(session.state, State::Aborted | State::Expired);
        prop_assert_eq!(returned, usize::from(ended_without_file));
        prop_assert_eq!(files, usize::from(session.state == State::Complete));
    }
}
