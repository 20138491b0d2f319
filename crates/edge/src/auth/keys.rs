//! Access tokens: JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, RFC 7515), and the keys that sign them.
//!
//! The signing secret has the key that signs and the one that signed before. A token names its key (`kid`, computed from the
//! key), so tokens of both are good, and the key can be replaced without signing anybody out. A function that meets a key it
//! does not know reads the secret again.

use crate::Problem;
use domain::id::{AccountId, SessionId};
use domain::session::ACCESS_LIFETIME;
use domain::token::Secret;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use store::{Aws, StoreError};

const ISSUER: &str = "longshore";
const AUDIENCE: &str = "longshore-api";
/// How long a key that was taken out of the secret may still be good.
const READ_AGAIN: Duration = Duration::from_mins(5);
/// How often the secret is read for tokens that name unknown keys: anybody can send those.
const UNKNOWN_KEYS: Duration = Duration::from_secs(10);

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose it is.
    pub sub: AccountId,
    /// The session that it belongs to.
    pub sid: SessionId,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

/// The secret as Secrets Manager has it.
#[derive(Deserialize)]
struct SigningSecret {
    current: String,
    previous: Option<String>,
}

/// One key.
struct Key {
    id: String,
    secret: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Key {
    fn new(secret: String) -> Self {
        let mut id = String::new();
        for byte in &Sha256::digest(secret.as_bytes())[..8] {
            _ = write!(id, "{byte:02x}");
        }
        Self {
            id,
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            secret,
        }
    }
}

/// The keys of one signing secret.
pub struct Keys {
    current: Key,
    previous: Option<Key>,
}

/// Why a token is not good.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// Its key is not known here.
    UnknownKey,
    Expired,
    Invalid,
}

impl Keys {
    fn parse(text: &str) -> Result<Self, StoreError> {
        let misconfigured = |what: &str| StoreError::Misconfigured(format!("the signing secret {what}"));
        let secret: SigningSecret = serde_json::from_str(text)
            .map_err(|_| misconfigured("is not {\"current\": \"...\", \"previous\": \"...\"}"))?;
        if [Some(&secret.current), secret.previous.as_ref()]
            .into_iter()
            .flatten()
            .any(|key| key.len() < 32)
        {
            return Err(misconfigured("has a key of fewer than 32 characters"));
        }
        Ok(Self {
            current: Key::new(secret.current),
            previous: secret.previous.map(Key::new),
        })
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// An access token for a session, given at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be signed.
    pub fn issue(&self, account: &AccountId, session: &SessionId, now: i64) -> Result<String, Problem> {
        let iat = u64::try_from(now).unwrap_or_default();
        let claims = Claims {
            sub: account.clone(),
            sid: session.clone(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat,
            exp: iat + ACCESS_LIFETIME.unsigned_abs().as_secs(),
        };
        self.sign(&claims)
            .map_err(|e| StoreError::Corrupt(format!("signing a token: {e}")).into())
    }

    fn sign(&self, claims: &Claims) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.current.id.clone());
        encode(&header, claims, &self.current.encoding)
    }

    /// The secret that follows that of a refresh token.
    #[must_use]
    pub fn following(&self, secret: &Secret, session: &SessionId) -> Secret {
        secret.next(session, self.current.secret.as_bytes())
    }

    /// The secrets that may have followed it: with each key.
    pub fn all_following(&self, secret: &Secret, session: &SessionId) -> impl Iterator<Item = Secret> {
        self.all().map(|key| secret.next(session, key.secret.as_bytes()))
    }

    fn verify(&self, token: &str) -> Result<Claims, Refused> {
        let header = decode_header(token).map_err(|_| Refused::Invalid)?;
        let id = header.kid.ok_or(Refused::Invalid)?;
        let key = self.all().find(|key| key.id == id).ok_or(Refused::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        match decode::<Claims>(token, &key.decoding, &validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => Err(Refused::Expired),
            Err(_) => Err(Refused::Invalid),
        }
    }
}

/// The keys as a running function knows them.
struct Held {
    keys: Arc<Keys>,
    read: Instant,
}

/// The keys of the signing secret that `SIGNING_SECRET_ID` names, read again now and then.
pub struct SigningKeys {
    aws: Aws,
    secret: String,
    held: RwLock<Held>,
}

impl SigningKeys {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or has a key that is too short to be safe.
    pub async fn from_env(aws: &Aws) -> Result<Self, StoreError> {
        let secret = store::config::variable("SIGNING_SECRET_ID")?;
        let keys = Keys::parse(&aws.secret(&secret).await?)?;
        let held = Held {
            keys: Arc::new(keys),
            read: Instant::now(),
        };
        Ok(Self {
            aws: aws.clone(),
            secret,
            held: RwLock::new(held),
        })
    }

    /// The keys, no older than some minutes if the secret can be read.
    pub async fn get(&self) -> Arc<Keys> {
        self.not_older_than(READ_AGAIN).await
    }

    /// The keys as they are now, but for ten seconds.
    pub async fn newest(&self) -> Arc<Keys> {
        self.not_older_than(UNKNOWN_KEYS).await
    }

    async fn not_older_than(&self, age: Duration) -> Arc<Keys> {
        let held = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if held.read.elapsed() < age {
                return Arc::clone(&held.keys);
            }
            Arc::clone(&held.keys)
        };
        let text = self.aws.secret(&self.secret).await;
        let keys = match text.and_then(|text| Keys::parse(&text)) {
            Ok(keys) => Arc::new(keys),
            Err(error) => {
                tracing::warn!(error = error.for_log(), "the signing secret cannot be read again");
                held
            }
        };
        let read = Instant::now();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Held {
            keys: Arc::clone(&keys),
            read,
        };
        keys
    }

    /// What an access token says, if it is good.
    ///
    /// # Errors
    /// 401.
    pub async fn verify(&self, token: &str) -> Result<Claims, Problem> {
        let mut said = self.get().await.verify(token);
        if said == Err(Refused::UnknownKey) {
            said = self.newest().await.verify(token);
        }
        said.map_err(|refused| match refused {
            Refused::Expired => {
                Problem::unauthorized("the access token has expired; refresh it, or sign in again")
            }
            Refused::UnknownKey | Refused::Invalid => {
                Problem::unauthorized("the access token is not valid; sign in again")
            }
        })
    }
}

/// The keys of the sample events.
#[cfg(test)]
pub(crate) fn sample_keys() -> Keys {
    let file = crate::samples::folder().join("sample/signing-secret.json");
    Keys::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The token that the sample events carry: from 2026-01-02 until 2099.
#[cfg(test)]
pub(crate) fn sample_token(account: &str, session: &str) -> String {
    let claims = Claims {
        sub: account.parse().unwrap(),
        sid: session.parse().unwrap(),
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        iat: 1_767_323_045,
        exp: 4_070_908_800,
    };
    sample_keys().sign(&claims).unwrap()
}

#[cfg(test)]
pub(crate) fn is_good(keys: &Keys, token: &str) -> bool {
    keys.verify(token).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    const OLD: &str = "oooooooooooooooooooooooooooooooo";

    fn keys(current: &str, previous: Option<&str>) -> Keys {
        Keys {
            current: Key::new(current.to_owned()),
            previous: previous.map(|key| Key::new(key.to_owned())),
        }
    }

    fn ids() -> (AccountId, SessionId) {
        ("a1".parse().unwrap(), "s1".parse().unwrap())
    }

    fn now() -> i64 {
        store::rows::now().as_second()
    }

    fn token(keys: &Keys) -> String {
        keys.issue(&ids().0, &ids().1, now()).unwrap()
    }

    #[test]
    fn a_token_tells_its_account_and_session() {
        let keys = keys(NEW, None);
        let claims = keys.verify(&token(&keys)).unwrap();
        assert_eq!((claims.sub, claims.sid), ids());
    }

    #[test]
    fn a_key_that_was_replaced_is_good_until_it_is_forgotten() {
        let token = token(&keys(OLD, None));
        assert!(keys(NEW, Some(OLD)).verify(&token).is_ok());
        assert_eq!(keys(NEW, None).verify(&token), Err(Refused::UnknownKey));
    }

    #[test]
    fn a_secret_with_a_short_key_is_refused() {
        let parse = |text: &str| Keys::parse(text).map(|_| ()).map_err(|error| error.to_string());
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
            let mut claims = keys_here.verify(&good).unwrap();
            change(&mut claims);
            keys_here.sign(&claims).unwrap()
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
            &keys_here.verify(&good).unwrap(),
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
            assert_eq!(keys_here.verify(bad), Err(why), "{bad}");
        }
    }
}
