//! What a file or folder may be called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Longest name in bytes of UTF-8, as on most file systems.
pub const MAX_LENGTH: usize = 255;

/// The pattern of names, without their length, which is counted in bytes.
const PATTERN: &str = r"^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$";

/// Why a text cannot be the name of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It is empty.
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
    /// A control character, or one that breaks lines or turns the direction of what follows: it would make a name look like
    /// another one.
    #[error(
        "a name may not contain control characters, line separators or marks that turn the direction of writing"
    )]
    Control,
}

/// The name of a file or folder within its parent, in Unicode's normal form C: an `é` is the same name whether it was typed
/// as one character or as two, which is what some systems make of it. Case matters.
///
/// Names that only some system reserves (`CON`, `aux.c`) are names like others: files come from all systems, and a client
/// knows best what its own cannot have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = MAX_LENGTH, "pattern" = PATTERN))]
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
        let text = if is_nfc(&text) { text } else { text.nfc().collect() };
        match text.as_str() {
            "" => Err(InvalidName::Empty),
            "." | ".." => Err(InvalidName::Reserved),
            _ if text.len() > MAX_LENGTH => Err(InvalidName::TooLong),
            _ if text.contains(['/', '\\']) => Err(InvalidName::Separator),
            _ if text.chars().any(is_refused) => Err(InvalidName::Control),
            _ => Ok(Self(text)),
        }
    }
}

fn is_refused(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        assert_eq!(refused("invoice-\u{202e}fdp.exe"), InvalidName::Control);
        assert_eq!(refused("a\u{2028}b"), InvalidName::Control);
        assert_eq!(refused(&"é".repeat(128)), InvalidName::TooLong);
    }

    #[test]
    fn a_name_is_one_however_its_letters_are_composed() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert_eq!(name("cafe\u{301}"), name("caf\u{e9}"));
        assert_eq!(name("caf\u{e9}").as_str(), "caf\u{e9}");
        // What counts is how long it is then: 85 of these are 255 bytes, decomposed they would be 765.
        assert_eq!(name(&"\u{1100}\u{1161}\u{11a8}".repeat(85)).as_str().len(), 255);
        // Letters that merely look alike are others.
        assert_ne!(name("\u{430}"), name("a"));
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_kept_to_the_letter(text in "\\PC{0,300}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.as_str(), text.nfc().collect::<String>());
                prop_assert!(name.as_str().len() <= MAX_LENGTH && !text.contains('/'));
                prop_assert_eq!(name.as_str().parse::<Name>(), Ok(name.clone()));
            }
        }
    }
}
