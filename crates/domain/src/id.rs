//! Opaque identifiers. Each kind of thing has its own type, so that one cannot be passed for another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest identifier accepted from outside, in bytes.
pub const MAX_LENGTH: usize = 64;

/// A string that cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to {MAX_LENGTH} letters, digits, '-' or '_'")]
pub struct InvalidId;

fn validate(text: &str) -> Result<(), InvalidId> {
    let valid = (1..=MAX_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if valid { Ok(()) } else { Err(InvalidId) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(extend("minLength" = 1, "maxLength" = MAX_LENGTH, "pattern" = "^[A-Za-z0-9_-]{1,64}$"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                validate(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                validate(&text)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

id!(
    /// A registered user.
    AccountId
);
id!(
    /// An entry in an account's tree: a file or a folder.
    NodeId
);
id!(
    /// Immutable bytes in the primary store.
    BlobId
);
id!(
    /// A configured place for replicas: its name.
    TargetName
);
id!(
    /// A session that turns parts into a blob and a file.
    UploadId
);
id!(
    /// A user's session, from signing in to signing out.
    SessionId
);
id!(
    /// A personal access token.
    PersonalTokenId
);
id!(
    /// An invitation to create an account, or to reset the password of one.
    InvitationId
);

impl InvitationId {
    /// The id that is these bytes in hexadecimal digits, as many as fit.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let bytes = bytes.iter().take(MAX_LENGTH / 2);
        Self(
            bytes
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_separators_and_absurd_lengths() {
        for bad in ["", "a#b", "a/b", "a b", "é", &"x".repeat(65)] {
            assert_eq!(bad.parse::<NodeId>(), Err(InvalidId), "{bad:?}");
        }
        assert_eq!("01-aZ_".parse::<NodeId>().unwrap().as_str(), "01-aZ_");
    }
}
