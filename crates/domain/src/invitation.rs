//! Invitations: codes that administrators issue, each good once. With one a user creates an account where signing up is
//! closed, or resets the password of an account.
//!
//! A code is 128 random bits. Only its hash is kept, and that is also its id: a reader of the table, the log or a
//! list of invitations learns no code that could be used.

use crate::id::InvitationId;
use crate::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The prefix of a code, by which secret scanners find it.
const PREFIX: &str = "lsi_";
/// The digits of a code: Crockford's, which has no letter that looks like another digit.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// How many digits 128 bits have.
const LENGTH: usize = 26;
/// The longest text that is looked at as a code, in characters.
const LONGEST: usize = 64;

/// For how many days an invitation is good by default.
pub const DAYS: u16 = 7;
/// The same of a code that resets a password: it gives access to files that exist already.
pub const DAYS_FOR_A_PASSWORD: u16 = 1;
/// For how many days one can be good.
pub const MOST_DAYS: u16 = 90;

/// A text that is not looked at as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code has 1 to {LONGEST} characters, none of them a control character")]
pub struct InvalidCode;

/// A code, as it is given out and typed in: its digits. It has no `Debug` form that shows it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = LONGEST))]
pub struct Code(#[schemars(with = "String")] SecretString);

impl Code {
    /// The code with these bits, which have to be random.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        let digit = |place: usize| DIGITS[(bits >> (5 * place) & 31) as usize] as char;
        let digits: String = (0..LENGTH).rev().map(digit).collect();
        Self(digits.into())
    }

    /// What is stored of it, and its id: the first half of its SHA-256. To find another code with the same id takes as
    /// long as to guess one.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        let hash = Sha256::new().chain_update("longshore invitation\0");
        let hash = hash.chain_update(self.0.expose_secret()).finalize();
        InvitationId::of_bytes(&hash[..16])
    }

    /// The code itself, for its recipient only.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", self.0.expose_secret())
    }
}

/// As people type it: in capitals, in groups, with an O for a zero, without the prefix. A text that cannot be a code counts
/// as one that was never issued.
impl TryFrom<String> for Code {
    type Error = InvalidCode;

    fn try_from(text: String) -> Result<Self, InvalidCode> {
        let text = text.trim().to_ascii_lowercase();
        if !(1..=LONGEST).contains(&text.chars().count()) || text.contains(char::is_control) {
            return Err(InvalidCode);
        }
        let digits = text.strip_prefix(PREFIX).unwrap_or(&text).chars();
        let digits = digits.filter(|c| *c != '-' && !c.is_whitespace());
        let digits = digits.map(|c| match c {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        });
        Ok(Self(digits.collect::<String>().into()))
    }
}

/// A text that cannot be a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a note has 1 to 100 characters, none of them a control character")]
pub struct InvalidNote;

/// An administrator's note of whom an invitation is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

impl TryFrom<String> for Note {
    type Error = InvalidNote;

    fn try_from(text: String) -> Result<Self, InvalidNote> {
        let valid = (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control);
        if valid { Ok(Self(text)) } else { Err(InvalidNote) }
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

/// A number of days that no code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is good for 1 to {MOST_DAYS} days")]
pub struct InvalidDays;

/// When a code that is made at `now` ends, in whole seconds.
///
/// # Errors
/// [`InvalidDays`].
pub fn ends_at(now: Timestamp, days: u16) -> Result<Timestamp, InvalidDays> {
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(InvalidDays);
    }
    let end = saturating_add(now, SignedDuration::from_hours(24 * i64::from(days)));
    Ok(Timestamp::from_second(end.as_second()).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Code {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_code_is_read_however_people_write_it() {
        let given = Code::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef).reveal();
        assert_eq!(given, "lsi_014d2pf2dbsqqg28t5cy4tqkff");
        for typed in [
            given.to_uppercase(),
            given.replace("lsi_", ""),
            "014D2PF2 DBSQQG28-T5CY4TQKFF".to_owned(),
            format!(" {given}\n"),
            "lsi_ol4d2pf2dbsqqg28t5cy4tqkff".to_owned(),
        ] {
            assert_eq!(code(&typed).id(), code(&given).id(), "{typed:?}");
        }
        assert_ne!(code(&given.replace('q', "r")).id(), code(&given).id());
        assert!(Code::try_from(String::new()).is_err());
        assert!(Code::try_from("x".repeat(65)).is_err());
        assert!(Code::try_from("x\0y".to_owned()).is_err());
    }

    #[test]
    fn a_code_is_hidden_and_its_id_says_nothing_of_it() {
        let code = Code::from_bits(u128::MAX);
        assert!(!format!("{code:?}").contains("7zz"));
        assert_eq!(code.reveal(), "lsi_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        let id = code.id();
        assert_eq!(id.as_str().len(), 32);
        assert!(!id.as_str().contains("7zz"));
    }

    #[test]
    fn a_code_ends_after_so_many_days() {
        let now = Timestamp::from_millisecond(1_800_000_000_500).unwrap();
        assert_eq!(ends_at(now, 1).unwrap().to_string(), "2027-01-16T08:00:00Z");
        assert_eq!(ends_at(now, 0), Err(InvalidDays));
        assert_eq!(ends_at(now, MOST_DAYS + 1), Err(InvalidDays));
        assert!(ends_at(now, MOST_DAYS).is_ok());
    }

    #[test]
    fn notes_are_short_and_plain() {
        for bad in ["", "a\nb", &"x".repeat(101)] {
            assert_eq!(Note::try_from(bad.to_owned()), Err(InvalidNote), "{bad:?}");
        }
        assert_eq!(
            String::from(Note::try_from("Änne, room 7".to_owned()).unwrap()),
            "Änne, room 7"
        );
    }

    proptest! {
        /// Every code is read back, and no two are the same.
        #[test]
        fn all_bits_are_in_the_code(one in any::<u128>(), place in 0..128) {
            let other = one ^ (1_u128 << place);
            let (one, other) = (Code::from_bits(one), Code::from_bits(other));
            prop_assert_eq!(code(&one.reveal()).reveal(), one.reveal());
            prop_assert_ne!(one.id(), other.id());
        }
    }
}
