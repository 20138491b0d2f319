//! Which names a search finds, and where in an account's entries it is.
//!
//! Names are compared without their case and in one normal form: `Straße.PDF` is found by `STRASSE pdf`, and `ﬁnal` by `final`.
//! Accents count: `cafe` does not find `café`.

use crate::id::{InvalidId, NodeId};
use crate::name::{InvalidName, MAX_LENGTH, Name};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// Why nothing can be looked for with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWords {
    /// There is nothing but spaces in it.
    #[error("say what to look for")]
    Empty,
    /// Longer than any name.
    #[error("at most {MAX_LENGTH} bytes in UTF-8, as a name")]
    TooLong,
}

/// What is looked for: words, each of which has to be somewhere in the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl FromStr for Words {
    type Err = InvalidWords;

    fn from_str(text: &str) -> Result<Self, InvalidWords> {
        // As long as it is in the form that names are kept in: some systems send each `é` as two characters.
        let length: usize = text.nfc().map(char::len_utf8).sum();
        if length > MAX_LENGTH {
            return Err(InvalidWords::TooLong);
        }
        // Folded first: there are spaces that are others before.
        let words: Vec<String> = folded(text).split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return Err(InvalidWords::Empty);
        }
        Ok(Self(words))
    }
}

impl Words {
    /// Whether all of them are in the name.
    #[must_use]
    pub fn are_in(&self, name: &Name) -> bool {
        let name = folded(name.as_str());
        self.0.iter().all(|word| name.contains(word))
    }
}

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": "\\S" })
    }
}

/// A text as it is compared: in one normal form and one case, as Unicode defines a compatibility caseless match (D146). The
/// definition ends with decomposed letters; here they are composed, so that an accent is no character of its own that a word
/// could end before.
fn folded(text: &str) -> String {
    // The same, and most names are so.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let once = text.nfd().flat_map(without_case).nfkd();
    once.flat_map(without_case).nfkc().collect()
}

/// A character without its case: `ß` is `ss`, `ς` is `σ`, `K` for Kelvin is `k`. What has the same capitals is the same, which is
/// Unicode's full case folding, but for the Turkish `ı`: that is `i`, because its capital is. The standard library has no
/// folding, and knows newer characters than the crates that have one.
fn without_case(c: char) -> impl Iterator<Item = char> {
    // First small: the capital `ẞ` is its own.
    let capitals = c.to_lowercase().flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase)
}

/// A text that no search ended with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlace {
    /// It has no folder.
    #[error("this is not from the page before")]
    Other,
    /// Its folder is none.
    #[error("this is not from the page before: {0}")]
    Folder(#[from] InvalidId),
    /// Its name is none.
    #[error("this is not from the page before: {0}")]
    Name(#[from] InvalidName),
}

/// A place in the order of an account's entries, which is by folder, the top first, and then by name. There need not be an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder; none is the top.
    pub parent: Option<NodeId>,
    /// The name in it.
    pub name: Name,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent.as_ref().map_or("", NodeId::as_str);
        write!(f, "{parent}#{}", self.name)
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (parent, name) = text.split_once('#').ok_or(InvalidPlace::Other)?;
        Ok(Self {
            parent: match parent {
                "" => None,
                parent => Some(parent.parse()?),
            },
            name: name.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(words: &str, name: &str) -> bool {
        let name = name.parse().unwrap();
        words.parse::<Words>().unwrap().are_in(&name)
    }

    #[test]
    fn words_are_found_in_any_order_and_case() {
        for (words, name) in [
            ("report", "Annual Report 2026.pdf"),
            ("2026 annual", "Annual Report 2026.pdf"),
            ("  PDF  ", "Annual Report 2026.pdf"),
            ("nual rep", "Annual Report 2026.pdf"),
            ("STRASSE", "straße.txt"),
            ("straße", "STRASSE.txt"),
            ("ΟΔΟΣ", "οδος"),
            ("οδος", "ΟΔΟΣ"),
            ("final", "ﬁnal"),
            ("CAFÉ", "cafe\u{301}"),
            ("e\u{301}", "É"),
            ("１２", "12"),
            ("a\u{3000}b", "b a"),
            ("\u{1e9e}", "SS"),
            ("ISPARTA", "ısparta"),
            ("#", "a#b"),
        ] {
            assert!(finds(words, name), "{words:?} in {name:?}");
        }
        for (words, name) in [
            ("report 2027", "Annual Report 2026.pdf"),
            ("cafe", "café"),
            ("annualreport", "Annual Report 2026.pdf"),
            ("a", "\u{430}"),
        ] {
            assert!(!finds(words, name), "{words:?} in {name:?}");
        }
    }

    #[test]
    fn what_nothing_can_be_looked_for_with() {
        let refused = |text: &str| text.parse::<Words>().unwrap_err();
        assert_eq!(refused(""), InvalidWords::Empty);
        assert_eq!(refused(" \t\u{a0}\u{3000}"), InvalidWords::Empty);
        assert_eq!(refused(&"é".repeat(128)), InvalidWords::TooLong);
        assert!("é".repeat(127).parse::<Words>().is_ok());
        assert!("e\u{301}".repeat(127).parse::<Words>().is_ok());
    }

    /// Of all characters there are.
    #[test]
    fn the_case_of_a_character_does_not_matter() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let once = folded(&text);
            assert_eq!(folded(&once), once, "{c:?} twice");
            assert_eq!(folded(&text.to_lowercase()), once, "{c:?} in lower case");
            assert_eq!(folded(&text.to_uppercase()), once, "{c:?} in upper case");
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is() {
        for text in ["#a", "f01d#a", "#a#b", "f01d##"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        let parent = "f01d#x".parse::<Place>().unwrap().parent;
        assert_eq!(parent.as_ref().map(NodeId::as_str), Some("f01d"));
        for text in [
            "", "a", "#", "f01d#", "f 01d#a", "../#a", "#..", "#a/b", "#a\n", "é#a",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text:?}");
        }
    }

    /// Letters with more than one form among them.
    const LETTERS: &str = "[a-cA-C0-2 .éÉßẞﬁΣςσǅİÅÅ①가각゛ı\u{301}\u{308}\u{323}]{1,20}";

    proptest! {
        #[test]
        fn every_name_finds_itself_in_every_form(text in prop_oneof![LETTERS, "\\PC{1,60}"]) {
            let Ok(name) = text.parse::<Name>() else { return Ok(()) };
            for form in [
                text.clone(),
                text.nfc().collect(),
                text.nfd().collect(),
                text.nfkc().collect(),
                text.nfkd().collect(),
                text.to_lowercase(),
                text.nfd().collect::<String>().to_uppercase(),
                format!("  {}  ", text.replace(' ', "   ")),
            ] {
                match form.parse::<Words>() {
                    // Of some one character is a whole text.
                    Err(InvalidWords::TooLong) => {}
                    Err(InvalidWords::Empty) => prop_assert!(folded(&text).trim().is_empty()),
                    Ok(words) => prop_assert!(words.are_in(&name), "{:?} in {:?}", form, text),
                }
            }
        }

        /// What one form of a name is found by, so is every other.
        #[test]
        fn forms_of_a_name_are_found_alike(name in LETTERS, words in "[a-cA-CéÉßΣς ]{0,3}") {
            let Ok(words) = words.parse::<Words>() else { return Ok(()) };
            let found = |text: String| text.parse::<Name>().map(|name| words.are_in(&name));
            let Ok(as_it_is) = found(name.clone()) else { return Ok(()) };
            for form in [name.nfd().collect(), name.to_lowercase(), name.to_uppercase(), name.nfkc().collect()] {
                // A form may be too long, or `..`.
                if let Ok(found) = found(form) {
                    prop_assert_eq!(found, as_it_is);
                }
            }
        }

        /// Each part of a name that no letter is cut for finds it.
        #[test]
        fn parts_of_plain_names_are_found(before in "[a-z ]{0,9}", word in "[A-Z0-9]{1,9}", after in "[ -.]{0,9}") {
            let Ok(name) = format!("{before}{word}{after}").parse::<Name>() else { return Ok(()) };
            prop_assert!(word.parse::<Words>().unwrap().are_in(&name));
        }

        #[test]
        fn a_place_reads_back_as_itself(parent in "[a-z0-9]{0,8}", name in "\\PC{1,20}") {
            if let Ok(name) = name.parse::<Name>() {
                let parent = (!parent.is_empty()).then(|| parent.parse().unwrap());
                let place = Place { parent, name };
                prop_assert_eq!(place.to_string().parse(), Ok(place));
            }
        }
    }
}
