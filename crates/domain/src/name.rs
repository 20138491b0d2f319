//! What a file or folder may be called.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest name in bytes of UTF-8, as on most file systems.
pub const MAX_LENGTH: usize = 255;

/// Why a text cannot be the name of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing there.
    #[error("a name may not be empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`] bytes.
    #[error("a name may have at most {MAX_LENGTH} bytes in UTF-8")]
    TooLong,
    /// `.` or `..`.
    #[error("'.' and '..' are not names")]
    Reserved,
    /// A separator; folders are named by id, never by path.
    #[error("a name may not contain '/' or '\\'; put the file into a folder with \"parent\"")]
    Separator,
    /// A control character.
    #[error("a name may not contain control characters")]
    Control,
}

/// The name of a file or folder within its parent. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        match text.as_str() {
            "" => Err(InvalidName::Empty),
            "." | ".." => Err(InvalidName::Reserved),
            _ if text.len() > MAX_LENGTH => Err(InvalidName::TooLong),
            _ if text.contains(['/', '\\']) => Err(InvalidName::Separator),
            _ if text.chars().any(char::is_control) => Err(InvalidName::Control),
            _ => Ok(Self(text)),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_refused() {
        let refused = |text: &str| text.parse::<Name>().unwrap_err();
        assert_eq!(refused(""), InvalidName::Empty);
        assert_eq!(refused(".."), InvalidName::Reserved);
        assert_eq!(refused("../etc/passwd"), InvalidName::Separator);
        assert_eq!(refused("a\\b"), InvalidName::Separator);
        assert_eq!(refused("a\0b"), InvalidName::Control);
        assert_eq!(refused("a\u{85}b"), InvalidName::Control);
        assert_eq!(refused(&"é".repeat(128)), InvalidName::TooLong);
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_kept_to_the_letter(text in "\\PC{0,300}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.as_str(), text.as_str());
                prop_assert!(text.len() <= MAX_LENGTH && !text.contains('/'));
            }
        }
    }
}
