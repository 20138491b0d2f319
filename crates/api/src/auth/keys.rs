//! Access tokens: JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, RFC 7515), and the keys that sign them.
//!
//! The signing secret has the key that signs and the one that signed before. A token names its key (`kid`, computed from the
//! key), so tokens of both are good, and the key can be replaced without signing anybody out. A new key signs nothing until
//! every function has had the time to read it; one that meets a key that it does not know all the same reads the secret again.

use crate::problem::ProblemDocument;
use domain::id::{AccountId, SessionId};
use domain::session::ACCESS_LIFETIME;
use domain::time::saturating_add;
use domain::token::Secret;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use store::{Environment, SecretText, StoreError};

const ISSUER: &str = "longshore";
const AUDIENCE: &str = "longshore-api";
/// How long a key that was taken out of the secret may still be good.
const READ_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// How old the secret is when everybody has read it, whose clock may be a minute off.
const READ_BY_ALL: SignedDuration = SignedDuration::from_mins(6);
/// How often the secret is read at most: anybody can send tokens that name unknown keys, and it may not be to be had.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_secs(10);

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

impl Claims {
    /// Whether they still hold at `now`.
    fn hold_at(&self, now: Timestamp) -> bool {
        u64::try_from(now.as_second()).is_ok_and(|now| now < self.exp)
    }
}

/// The secret as Secrets Manager has it.
#[derive(Deserialize)]
struct SigningSecret {
    current: SecretString,
    previous: Option<SecretString>,
}

/// One key.
struct Key {
    id: String,
    secret: SecretString,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Key {
    fn new(secret: SecretString) -> Self {
        let bytes = secret.expose_secret().as_bytes();
        Self {
            id: hex::encode(&Sha256::digest(bytes)[..8]),
            encoding: EncodingKey::from_secret(bytes),
            decoding: DecodingKey::from_secret(bytes),
            secret,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }
}

/// The keys of one signing secret.
pub struct Keys {
    current: Key,
    previous: Option<Key>,
    /// Since when these are the keys.
    since: Timestamp,
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
    fn parse(secret: &SecretText) -> Result<Self, StoreError> {
        let since = secret.since;
        let misconfigured = |what: &str| StoreError::misconfigured(format!("the signing secret {what}"));
        let secret: SigningSecret = serde_json::from_str(secret.text.expose_secret())
            .map_err(|_| misconfigured("is not {\"current\": \"...\", \"previous\": \"...\"}"))?;
        if [Some(&secret.current), secret.previous.as_ref()]
            .into_iter()
            .flatten()
            .any(|key| key.expose_secret().len() < 32)
        {
            return Err(misconfigured("has a key of fewer than 32 characters"));
        }
        Ok(Self {
            current: Key::new(secret.current),
            previous: secret.previous.map(Key::new),
            since,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// The key that signs at `now`: the one before as long as somebody may not have read of the new one, to whom its tokens
    /// would be worth nothing.
    fn signing(&self, now: Timestamp) -> &Key {
        match &self.previous {
            Some(previous) if now < saturating_add(self.since, READ_BY_ALL) => previous,
            _ => &self.current,
        }
    }

    /// An access token for a session, given at `now`.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when it cannot be signed.
    pub fn issue(
        &self,
        account: &AccountId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let iat = u64::try_from(now.as_second()).unwrap_or_default();
        let claims = Claims {
            sub: account.clone(),
            sid: session.clone(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat,
            exp: iat + ACCESS_LIFETIME.unsigned_abs().as_secs(),
        };
        sign(self.signing(now), &claims).map_err(|e| StoreError::internal("signing a token", e))
    }

    /// The secret that follows that of a refresh token which is exchanged at `now`.
    #[must_use]
    pub fn following(&self, secret: &Secret, session: &SessionId, now: Timestamp) -> Secret {
        secret.next(session, self.signing(now).bytes())
    }

    /// The secrets that may have followed it: with each key.
    pub fn all_following(&self, secret: &Secret, session: &SessionId) -> impl Iterator<Item = Secret> {
        self.all().map(|key| secret.next(session, key.bytes()))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refused> {
        let header = decode_header(token).map_err(|_| Refused::Invalid)?;
        let id = header.kid.ok_or(Refused::Invalid)?;
        let key = self.all().find(|key| key.id == id).ok_or(Refused::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // By the clock that was handed in, below.
        validation.validate_exp = false;
        match decode::<Claims>(token, &key.decoding, &validation) {
            Ok(data) if !data.claims.hold_at(now) => Err(Refused::Expired),
            Ok(data) => Ok(data.claims),
            Err(_) => Err(Refused::Invalid),
        }
    }
}

fn sign(key: &Key, claims: &Claims) -> jsonwebtoken::errors::Result<String> {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.clone());
    encode(&header, claims, &key.encoding)
}

/// The keys as a running function knows them.
struct Held {
    keys: Arc<Keys>,
    /// When it read them, by the clock on the wall: others stand still while a function is frozen.
    read: Timestamp,
    /// When it last tried to.
    tried: Timestamp,
}

/// The keys of the signing secret that `SIGNING_SECRET_ID` names, read again now and then.
pub struct SigningKeys {
    environment: Environment,
    secret: String,
    held: RwLock<Held>,
}

impl SigningKeys {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or has a key that is too short to be safe.
    pub async fn from_env(environment: &Environment) -> Result<Self, StoreError> {
        let secret = environment.variable("SIGNING_SECRET_ID")?;
        let keys = Keys::parse(&environment.secret(secret).await?)?;
        let held = Held {
            keys: Arc::new(keys),
            read: environment.clock.now(),
            tried: environment.clock.now(),
        };
        Ok(Self {
            environment: environment.clone(),
            secret: secret.to_owned(),
            held: RwLock::new(held),
        })
    }

    /// The keys, no older than some minutes if the secret can be read.
    pub async fn get(&self) -> Arc<Keys> {
        self.not_older_than(READ_AGAIN).await
    }

    /// The keys as they are now, but for ten seconds.
    pub async fn newest(&self) -> Arc<Keys> {
        self.not_older_than(AT_MOST_EVERY).await
    }

    async fn not_older_than(&self, age: SignedDuration) -> Arc<Keys> {
        {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            let now = self.environment.clock.now();
            if now.duration_since(held.read) < age || now.duration_since(held.tried) < AT_MOST_EVERY {
                return Arc::clone(&held.keys);
            }
        }
        let secret = self.environment.secret(&self.secret).await;
        let read_again = secret.and_then(|secret| Keys::parse(&secret));
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.tried = self.environment.clock.now();
        match read_again {
            Ok(keys) => {
                held.keys = Arc::new(keys);
                held.read = held.tried;
            }
            Err(error) => tracing::warn!(error = error.for_log(), "the signing secret cannot be read again"),
        }
        Arc::clone(&held.keys)
    }

    /// What an access token says, if it is good.
    ///
    /// # Errors
    /// 401.
    pub async fn verify(&self, token: &str) -> Result<Claims, ProblemDocument> {
        let now = self.environment.clock.now();
        let mut said = self.get().await.verify(token, now);
        if said == Err(Refused::UnknownKey) {
            said = self.newest().await.verify(token, now);
        }
        said.map_err(|refused| match refused {
            Refused::Expired => {
                ProblemDocument::unauthorized("the access token has expired; refresh it, or sign in again")
            }
            Refused::UnknownKey | Refused::Invalid => {
                ProblemDocument::unauthorized("the access token is not valid; sign in again")
            }
        })
    }
}

/// The keys of the sample events.
#[cfg(test)]
pub(crate) fn sample_keys() -> Keys {
    let file = crate::samples::folder().join("sample/signing-secret.json");
    let text = std::fs::read_to_string(file).unwrap();
    let since = Timestamp::MIN;
    let text = text.into();
    Keys::parse(&SecretText { text, since }).unwrap()
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
    sign(&sample_keys().current, &claims).unwrap()
}

#[cfg(test)]
pub(crate) fn is_good(keys: &Keys, token: &str) -> bool {
    keys.verify(token, host::Clock::system().now()).is_ok()
}

#[cfg(test)]
mod tests;
