//! Usernames, passwords and quota.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a username is 3 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit")]
pub struct InvalidUsername;

/// A username, in lower case: `Ann` and `ann` are the same account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

impl Username {
    /// The username as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Username {
    type Error = InvalidUsername;

    fn try_from(text: String) -> Result<Self, InvalidUsername> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let valid = (3..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if valid {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidUsername)
        }
    }
}

impl From<Username> for String {
    fn from(username: Username) -> String {
        username.0
    }
}

/// Why a text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has at least 8 characters and at most 1024 bytes")]
pub struct InvalidPassword;

/// A password as typed. Never shown: its `Debug` form hides it, and it has no other.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

impl Password {
    /// The bytes to hash, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl TryFrom<String> for Password {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        let valid = text.chars().count() >= 8 && text.len() <= 1024;
        if valid {
            Ok(Self(text))
        } else {
            Err(InvalidPassword)
        }
    }
}

/// What an account may store. `used` counts its files and its open reservations.
///
/// What is kept is `limit` and `free`, because "is there room?" is then a comparison of one number, which a
/// conditional write can make without reading first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// All the account may use, in bytes.
    pub limit: u64,
    /// What is left of it, in bytes.
    pub free: u64,
}

impl Quota {
    /// Bytes in files and open reservations.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.limit.saturating_sub(self.free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_lower_case_and_plain() {
        assert_eq!(
            Username::try_from("Ann.B-1".to_owned()).unwrap().as_str(),
            "ann.b-1"
        );
        for bad in ["", "ab", "a b c", "-ann", "ann#x", "änne", &"a".repeat(65)] {
            assert_eq!(
                Username::try_from(bad.to_owned()),
                Err(InvalidUsername),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn passwords_have_a_length_and_stay_hidden() {
        assert!(Password::try_from("short".to_owned()).is_err());
        assert!(Password::try_from("x".repeat(1025)).is_err());
        let password = Password::try_from("correct horse".to_owned()).unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }
}
