//! Earlier contents of files, which are kept when a file gets another one.

use crate::id::NodeId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// How many versions of one file may be kept for good.
pub const MOST_KEPT: usize = 50;

/// The longest that [`VersionPolicy::most`] may be: with those that are kept for good, all versions of a file are one page.
pub const MOST_VERSIONS: u64 = 100;

/// How many versions of a file are kept, and for how long, beside those that are kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionPolicy {
    /// How many. None: a file that gets another content loses the one that it had.
    pub most: u64,
    /// For how many days.
    pub days: u64,
}

/// A version that is there, as the rule sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its number within its file. The later it came, the larger it is.
    pub number: u64,
    /// It is kept for good.
    pub kept: bool,
}

impl VersionPolicy {
    /// The numbers of those that are too many once a file has `more` versions more that are not kept for good: the oldest. Those
    /// that are kept for good do not count.
    #[must_use]
    pub fn surplus(&self, there: &[Held], more: u64) -> Vec<u64> {
        let mut numbers: Vec<u64> = there
            .iter()
            .filter(|held| !held.kept)
            .map(|held| held.number)
            .collect();
        numbers.sort_unstable();
        let count = (numbers.len() as u64 + more).saturating_sub(self.most);
        numbers.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        numbers
    }
}

/// Which content of which file: `<id of the file>.<number>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionId {
    /// The file.
    pub node: NodeId,
    /// The number of the content, from 1 on.
    pub number: u64,
}

/// Why a text cannot be the id of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of a version is the id of a file, a point, and a number from 1 on")]
pub struct InvalidVersionId;

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.number)
    }
}

impl FromStr for VersionId {
    type Err = InvalidVersionId;

    fn from_str(text: &str) -> Result<Self, InvalidVersionId> {
        let (node, number) = text.split_once('.').ok_or(InvalidVersionId)?;
        let node = node.parse().map_err(|_| InvalidVersionId)?;
        let number = number.parse().map_err(|_| InvalidVersionId)?;
        let id = Self { node, number };
        // Each version has one id: `1` is a number, `+1` and `01` are none.
        (number > 0 && id.to_string() == text)
            .then_some(id)
            .ok_or(InvalidVersionId)
    }
}

impl TryFrom<String> for VersionId {
    type Error = InvalidVersionId;

    fn try_from(text: String) -> Result<Self, InvalidVersionId> {
        text.parse()
    }
}

impl From<VersionId> for String {
    fn from(id: VersionId) -> String {
        id.to_string()
    }
}

impl JsonSchema for VersionId {
    fn schema_name() -> Cow<'static, str> {
        "VersionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[A-Za-z0-9_-]{1,64}\.[1-9][0-9]{0,18}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_version_has_one_id() {
        let id: VersionId = "f01d.12".parse().unwrap();
        assert_eq!(
            (id.node.as_str(), id.number, id.to_string().as_str()),
            ("f01d", 12, "f01d.12")
        );
        for bad in [
            "", "f01d", "f01d.", ".1", "f01d.0", "f01d.+1", "f01d.01", "f01d.1.2", "f01d.-1", "f#.1",
        ] {
            assert_eq!(bad.parse::<VersionId>(), Err(InvalidVersionId), "{bad}");
        }
    }

    #[test]
    fn the_oldest_are_too_many_and_what_is_kept_does_not_count() {
        let policy = VersionPolicy { most: 2, days: 30 };
        let held = |number, kept| Held { number, kept };
        let there = [held(5, false), held(3, true), held(2, false)];
        assert_eq!(policy.surplus(&there, 0), [0; 0]);
        assert_eq!(policy.surplus(&there, 1), [2]);
        assert_eq!(policy.surplus(&there, 3), [2, 5]);
        let none = VersionPolicy { most: 0, days: 30 };
        assert_eq!(none.surplus(&there, 0), [2, 5]);
    }

    proptest! {
        #[test]
        fn as_many_stay_as_may_and_those_are_the_newest(
            kept in vec(any::<bool>(), 0..40),
            most in 0_u64..30,
            more in 0_u64..3,
        ) {
            let there: Vec<Held> = (1..).zip(kept).map(|(number, kept)| Held { number, kept }).collect();
            let surplus = VersionPolicy { most, days: 1 }.surplus(&there, more);
            let (gone, stay): (Vec<Held>, Vec<Held>) =
                there.iter().partition(|held| surplus.contains(&held.number));
            prop_assert!(gone.iter().all(|held| !held.kept));
            let counted = stay.iter().filter(|held| !held.kept);
            prop_assert!(gone.is_empty() || counted.clone().count() as u64 + more == most.max(more));
            prop_assert!(counted.clone().count() as u64 + more <= most.max(more));
            prop_assert!(counted.clone().all(|held| gone.iter().all(|gone| gone.number < held.number)));
        }
    }
}
