//! Tokens that mean something only to the table: refresh tokens and personal access tokens.
//!
//! Their text names their account and their row, and ends with a secret of 32 random bytes, of which only the
//! SHA-256 is kept. That is enough for a secret that cannot be guessed; passwords need more, because they can.

use crate::id::{AccountId, InvalidId, PersonalTokenId, SessionId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::array::Array;
use hmac::digest::consts::U32;
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use subtle::ConstantTimeEq;

/// A text that is no such token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a token that was given here")]
pub struct InvalidToken;

/// The secret part of a token.
#[derive(Debug)]
pub struct Secret(SecretBox<[u8; 32]>);

impl Secret {
    /// Wraps 32 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// The hash that is stored of it.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.expose_secret())
    }

    /// The secret of the refresh token that follows the one with this secret, in a session with this id: the same however
    /// often it is computed, and unknown without the key. HMAC-SHA256 (RFC 2104).
    #[must_use]
    pub fn next(&self, session: &SessionId, key: &[u8]) -> Self {
        // It may be of any length; its hash, filled up with zeros to a block, is the key.
        let key = Sha256::digest(key).concat::<U32>(Array::default());
        let mut hmac = Hmac::<Sha256>::new(&key);
        hmac.update(b"longshore refresh token\0");
        hmac.update(session.as_str().as_bytes());
        hmac.update(b"\0");
        hmac.update(self.0.expose_secret());
        Self::from_bytes(hmac.finalize().into_bytes().into())
    }
}

/// What is kept of a secret: its SHA-256, in base64. To compare two takes the same time whatever they are.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl SecretHash {
    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A kind of token, with its prefix, by which secret scanners find it.
pub trait Kind {
    /// The prefix of the text.
    const PREFIX: &'static str;
    /// The id of its row.
    type Id: FromStr<Err = InvalidId> + fmt::Display;
}

/// [`RefreshToken`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh;

impl Kind for Refresh {
    const PREFIX: &'static str = "lsr_";
    type Id = SessionId;
}

/// [`PersonalToken`]s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal;

impl Kind for Personal {
    const PREFIX: &'static str = "lsp_";
    type Id = PersonalTokenId;
}

/// A token: `<prefix><account>.<id>.<secret in base64url>`. It has no `Debug` form that shows it.
pub struct Token<K: Kind> {
    /// Its account.
    pub account: AccountId,
    /// Its id.
    pub id: K::Id,
    /// The secret part.
    pub secret: Secret,
    kind: PhantomData<K>,
}

/// A refresh token: exchanged for new tokens.
pub type RefreshToken = Token<Refresh>;
/// A personal access token: for programs, instead of signing in.
pub type PersonalToken = Token<Personal>;

impl<K: Kind> Token<K> {
    /// A token.
    #[must_use]
    pub fn new(account: AccountId, id: K::Id, secret: Secret) -> Self {
        Self {
            account,
            id,
            secret,
            kind: PhantomData,
        }
    }

    /// The token itself, for its owner only.
    #[must_use]
    pub fn reveal(&self) -> String {
        let secret = URL_SAFE_NO_PAD.encode(self.secret.0.expose_secret());
        format!("{}{}.{}.{secret}", K::PREFIX, self.account, self.id)
    }
}

impl<K: Kind> fmt::Debug for Token<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}hidden)", K::PREFIX)
    }
}

impl<K: Kind> FromStr for Token<K> {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let mut words = text.strip_prefix(K::PREFIX).ok_or(InvalidToken)?.split('.');
        let mut word = || words.next().ok_or(InvalidToken);
        let account = word()?.parse().map_err(|_| InvalidToken)?;
        let id = word()?.parse().map_err(|_| InvalidToken)?;
        let secret = URL_SAFE_NO_PAD.decode(word()?).map_err(|_| InvalidToken)?;
        let secret = Secret::from_bytes(secret.try_into().map_err(|_| InvalidToken)?);
        match words.next() {
            None => Ok(Self::new(account, id, secret)),
            Some(_) => Err(InvalidToken),
        }
    }
}

/// What a personal access token permits. A session may do all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See and download what is there.
    Read,
    /// Upload files and make folders. Nothing that is there goes away by it, unless an upload replaces it.
    Upload,
    /// Delete, and what operators do.
    Admin,
}

impl Scope {
    /// As text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Admin => "admin",
        }
    }
}

/// Some scopes. Each stands for itself: `upload` does not include `read`.
pub type Scopes = BTreeSet<Scope>;

/// How long a personal access token lives at most, in days.
pub const MOST_DAYS: u16 = 366;

/// A name for a personal access token that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's name has 1 to 100 characters, none of them a control character")]
pub struct InvalidTokenName;

/// What its owner calls a personal access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = 100, "pattern" = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
pub struct TokenName(String);

impl TryFrom<String> for TokenName {
    type Error = InvalidTokenName;

    fn try_from(text: String) -> Result<Self, InvalidTokenName> {
        let valid = (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control);
        if valid {
            Ok(Self(text))
        } else {
            Err(InvalidTokenName)
        }
    }
}

impl From<TokenName> for String {
    fn from(name: TokenName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(secret: [u8; 32]) -> PersonalToken {
        Token::new(
            "a1".parse().unwrap(),
            "t1".parse().unwrap(),
            Secret::from_bytes(secret),
        )
    }

    #[test]
    fn tokens_are_told_apart_and_hidden() {
        let text = token([7; 32]).reveal();
        assert!(text.starts_with("lsp_a1.t1.BwcH"), "{text}");
        assert!(text.parse::<RefreshToken>().is_err());
        assert!(!format!("{:?}", token([7; 32])).contains("BwcH"));
        assert!(!format!("{:?}", token([7; 32]).secret).contains('7'));
        for bad in [
            "",
            "lsp_",
            "lsp_a1.t1",
            "lsp_a1.t1.BwcH",
            "lsp_a#.t1.x",
            &format!("{text}.x"),
            &text[4..],
        ] {
            assert!(bad.parse::<PersonalToken>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_secret_that_follows_depends_on_all_that_it_should() {
        let (one, other): (SessionId, SessionId) = ("s1".parse().unwrap(), "s2".parse().unwrap());
        let secret = Secret::from_bytes([1; 32]);
        let next = |secret: &Secret, session, key| secret.next(session, key).hash();
        let expected = next(&secret, &one, b"key");
        assert_eq!(expected, next(&secret, &one, b"key"));
        assert_ne!(expected, next(&secret, &other, b"key"));
        assert_ne!(expected, next(&secret, &one, b"another key"));
        assert_ne!(expected, next(&Secret::from_bytes([2; 32]), &one, b"key"));
        assert_ne!(expected, secret.hash());
    }

    proptest! {
        #[test]
        fn tokens_survive_text(secret in any::<[u8; 32]>()) {
            let text = token(secret).reveal();
            let read: PersonalToken = text.parse().unwrap();
            prop_assert_eq!(read.secret.0.expose_secret(), &secret);
            prop_assert_eq!((read.account.as_str(), read.id.as_str()), ("a1", "t1"));
        }
    }
}
