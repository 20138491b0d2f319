//! When keys are read, and which one signs.

use super::*;
use host::Clock;

const NEW: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
const OLD: &str = "oooooooooooooooooooooooooooooooo";

fn keys(current: &str, previous: Option<&str>) -> Keys {
    Keys {
        current: Key::new(current.into()),
        previous: previous.map(|key| Key::new(key.into())),
        since: Timestamp::MIN,
    }
}

fn ids() -> (AccountId, SessionId) {
    ("a1".parse().unwrap(), "s1".parse().unwrap())
}

fn now() -> Timestamp {
    Clock::system().now()
}

fn token(keys: &Keys) -> String {
    keys.issue(&ids().0, &ids().1, Clock::system().now()).unwrap()
}

#[test]
fn a_token_tells_its_account_and_session() {
    let keys = keys(NEW, None);
    let claims = keys.verify(&token(&keys), now()).unwrap();
    assert_eq!((claims.sub, claims.sid), ids());
}

#[test]
fn a_key_that_was_replaced_is_good_until_it_is_forgotten() {
    let token = token(&keys(OLD, None));
    assert!(keys(NEW, Some(OLD)).verify(&token, now()).is_ok());
    assert_eq!(keys(NEW, None).verify(&token, now()), Err(Refused::UnknownKey));
}

#[test]
fn a_new_key_signs_when_everybody_has_read_it() {
    let since = Clock::system().now();
    let (before, after) = (keys(OLD, None), keys(NEW, None));
    let both = Keys {
        since,
        ..keys(NEW, Some(OLD))
    };
    for (minutes, signs) in [(0, &before), (5, &before), (6, &after), (600, &after)] {
        let at = saturating_add(since, SignedDuration::from_mins(minutes));
        let signs = &signs.current;
        assert_eq!(both.signing(at).id, signs.id, "{minutes}");
        // What follows a refresh token, too: a function that has not read the new key could not give the same
        // answer again.
        let secret = Secret::from_bytes([7; 32]);
        assert_eq!(
            both.following(&secret, &ids().1, at).hash(),
            secret.next(&ids().1, signs.bytes()).hash(),
            "{minutes}"
        );
    }
    // There is no other that could: the one before is lost, or was stolen.
    assert_eq!(Keys { since, ..after }.signing(since).id, both.current.id);
}

#[test]
fn a_secret_with_a_short_key_is_refused() {
    let parse = |text: &str| {
        let secret = SecretText {
            text: text.into(),
            since: Clock::system().now(),
        };
        Keys::parse(&secret)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert!(parse(&format!(r#"{{"current": "{NEW}"}}"#)).is_ok());
    assert!(parse(&format!(r#"{{"current": "{NEW}", "previous": "{OLD}"}}"#)).is_ok());
    assert!(parse(&format!(r#"{{"current": "{NEW}", "previous": "short"}}"#)).is_err());
    let error = parse(r#"{"current": "short"}"#).unwrap_err();
    assert!(
        error.contains("32 characters") && !error.contains("short"),
        "{error}"
    );
    assert!(parse("[]").is_err());
}

#[test]
fn tokens_that_are_refused() {
    let keys_here = keys(NEW, None);
    let good = token(&keys_here);
    let parts: Vec<&str> = good.split('.').collect();
    let claims = |change: fn(&mut Claims)| {
        let mut claims = keys_here.verify(&good, now()).unwrap();
        change(&mut claims);
        sign(&keys_here.current, &claims).unwrap()
    };
    let other_account = claims(|claims| claims.sub = "a2".parse().unwrap());
    let swapped = format!(
        "{}.{}.{}",
        parts[0],
        other_account.split('.').nth(1).unwrap(),
        parts[2]
    );
    // {"typ":"JWT","alg":"none"}, without and with the id of the key
    let unsigned = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.", parts[1]);
    // The key's id in the header, and another key below.
    let mut forger = keys(OLD, None);
    forger.current.id.clone_from(&keys_here.current.id);
    let mut unnamed = Header::new(Algorithm::HS256);
    unnamed.kid = None;
    let unnamed = encode(
        &unnamed,
        &keys_here.verify(&good, now()).unwrap(),
        &keys_here.current.encoding,
    )
    .unwrap();
    for (bad, why) in [
        ("", Refused::Invalid),
        ("x", Refused::Invalid),
        ("a.b.c", Refused::Invalid),
        (&good[..good.len() - 2], Refused::Invalid),
        (&swapped, Refused::Invalid),
        (&unsigned, Refused::Invalid),
        (&unnamed, Refused::Invalid),
        (&token(&forger), Refused::Invalid),
        (&token(&keys(OLD, None)), Refused::UnknownKey),
        (&claims(|claims| claims.exp = claims.iat - 1), Refused::Expired),
        (
            &claims(|claims| claims.aud = "another-api".to_owned()),
            Refused::Invalid,
        ),
        (
            &claims(|claims| claims.iss = "another".to_owned()),
            Refused::Invalid,
        ),
    ] {
        assert_eq!(keys_here.verify(bad, now()), Err(why), "{bad}");
    }
}
