//! Usernames, passwords and quota.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a username is 3 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit")]
pub struct InvalidUsername;

/// A username, in lower case: `Ann` and `ann` are the same account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = 3, "maxLength" = 64, "pattern" = "^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$"))]
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

/// What an account may do besides storing files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing.
    #[default]
    User,
    /// See how targets are doing, and have failed replicas tried again.
    Operator,
}

impl Role {
    /// Whether this is the default.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has at least 8 characters and at most 1024 bytes")]
pub struct InvalidPassword;

/// A password as typed. Never shown: its `Debug` form hides it, and it has no other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 8, "maxLength" = 1024, "format" = "password"))]
pub struct Password(#[schemars(with = "String")] SecretString);

impl Password {
    /// The bytes to hash, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl TryFrom<String> for Password {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        let valid = text.chars().count() >= 8 && text.len() <= 1024;
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidPassword)
        }
    }
}

/// What an account may store. `used` counts its files and its open reservations.
///
/// What is kept is `limit` and `free`, because "is there room?" is then a comparison of one number, which a
/// conditional write can make without reading first. `free` is below zero while a limit that was lowered is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// All the account may use, in bytes.
    pub limit: u64,
    /// What is left of it, in bytes.
    pub free: i64,
}

/// What an account uses, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(rename = "UsedBytes")]
pub struct Used {
    /// Files as they are now, but those in the trash. A folder in the trash counts here until what is in it is counted, mostly within
    /// a minute, and when it is being removed.
    pub files: u64,
    /// Earlier versions of files.
    pub versions: u64,
    /// What is in the trash: emptying it frees this.
    pub trash: u64,
    /// Uploads that have not ended, with their whole sizes. Of those that were begun or ended within the last second some may be
    /// missing, or still be in it; of more than 5,000 the others are in `files`.
    pub open_uploads: u64,
}

/// The largest quota, in bytes.
pub const MAX_QUOTA: u64 = i64::MAX as u64;

/// What can happen to a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaEvent {
    /// Bytes are reserved for an upload, and those of the file that it replaces are released, at once.
    Take {
        /// Bytes reserved.
        take: u64,
        /// Bytes released.
        give: u64,
    },
    /// Bytes of a file or an upload are released.
    Give(u64),
    /// The account may use more or less from now on.
    Limit(u64),
}

/// The quota has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the quota has no room for this")]
pub struct NoRoom;

impl Quota {
    /// The quota of an account that has nothing yet. `None` when it is above [`MAX_QUOTA`].
    #[must_use]
    pub fn unused(limit: u64) -> Option<Self> {
        let free = i64::try_from(limit).ok()?;
        Some(Self { limit, free })
    }

    /// Bytes in files and open reservations.
    #[must_use]
    pub fn used(&self) -> u64 {
        let used = i128::from(self.limit) - i128::from(self.free);
        u64::try_from(used).unwrap_or(0)
    }

    /// What is used, by kind: what is counted of earlier versions, of the trash and of open uploads, and the rest. The sum is always
    /// what is used, whatever changed between the counts.
    #[must_use]
    pub fn used_by_kind(&self, versions: i64, trash: i64, open_uploads: u64) -> Used {
        let mut left = self.used();
        let mut at_most = |bytes: u64| {
            let bytes = bytes.min(left);
            left -= bytes;
            bytes
        };
        let counted = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        Used {
            trash: at_most(counted(trash)),
            versions: at_most(counted(versions)),
            open_uploads: at_most(open_uploads),
            files: left,
        }
    }

    /// The quota after `event`. Reserving less than is released is always possible, even where a limit
    /// that was lowered is exceeded.
    ///
    /// # Errors
    /// [`NoRoom`]; nothing changes then.
    pub fn step(self, event: QuotaEvent) -> Result<Self, NoRoom> {
        let free = match event {
            QuotaEvent::Take { take, give } => {
                let more = i128::from(take) - i128::from(give);
                if more > 0 && i128::from(self.free) < more {
                    return Err(NoRoom);
                }
                i128::from(self.free) - more
            }
            QuotaEvent::Give(bytes) => i128::from(self.free) + i128::from(bytes),
            QuotaEvent::Limit(limit) if limit > MAX_QUOTA => return Err(NoRoom),
            QuotaEvent::Limit(limit) => i128::from(limit) - i128::from(self.used()),
        };
        let limit = match event {
            QuotaEvent::Limit(limit) => limit,
            _ => self.limit,
        };
        let free = i64::try_from(free).map_err(|_| NoRoom)?;
        Ok(Self { limit, free })
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

    #[test]
    fn a_quota_is_exact() {
        let quota = Quota { limit: 100, free: 30 };
        let take = |take, give| quota.step(QuotaEvent::Take { take, give });
        assert_eq!(take(31, 0), Err(NoRoom));
        assert_eq!(take(30, 0).unwrap().free, 0);
        assert_eq!(take(50, 20).unwrap().used(), 100);
        assert_eq!(take(51, 20), Err(NoRoom));
        assert_eq!(quota.step(QuotaEvent::Give(70)).unwrap().used(), 0);
    }

    #[test]
    fn the_kinds_are_as_much_as_is_used_and_never_less_than_nothing() {
        let quota = Quota { limit: 100, free: 30 };
        let used = quota.used_by_kind(5, 20, 15);
        let expected = Used {
            files: 30,
            versions: 5,
            trash: 20,
            open_uploads: 15,
        };
        assert_eq!(used, expected);
        for counted in [
            (0, 0, 0),
            (80, 10, 5),
            (5, 80, 10),
            (5, 10, 80),
            (-3, -4, 9),
            (i64::MAX, i64::MIN, u64::MAX),
        ] {
            let (versions, trash, open_uploads) = counted;
            let used = quota.used_by_kind(versions, trash, open_uploads);
            let sum = used.files + used.versions + used.trash + used.open_uploads;
            assert_eq!(sum, 70, "{counted:?}");
        }
        assert_eq!(quota.used_by_kind(5, 80, 10).trash, 70);
    }

    #[test]
    fn a_quota_that_is_lowered_below_what_is_used_lets_nothing_in_but_loses_nothing() {
        let lowered = Quota { limit: 100, free: 30 }
            .step(QuotaEvent::Limit(50))
            .unwrap();
        assert_eq!((lowered.free, lowered.used()), (-20, 70));
        let take = |take, give| lowered.step(QuotaEvent::Take { take, give });
        assert_eq!(take(1, 0), Err(NoRoom));
        assert_eq!(take(0, 0), Ok(lowered));
        assert_eq!(take(5, 10).unwrap().free, -15);
        assert_eq!(lowered.step(QuotaEvent::Limit(100)).unwrap().free, 30);
    }
}
