//! What happens when a name is taken.

use crate::id::NodeId;
use crate::name::{MAX_LENGTH, Name};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// How many folders are within each other at most. The deepest may have files, and no folders.
pub const MAX_DEPTH: u64 = 100;

/// What the client wants when the folder has an entry of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// An error.
    #[default]
    Fail,
    /// The next free name: `a (1).txt`.
    Rename,
    /// The new content in the place of the old one. A folder is never replaced.
    Replace,
}

/// Where a file or folder goes instead of where it is, or of where its upload said when it was created; or where a copy of it
/// goes. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Its name.
    pub name: Option<Name>,
    /// The id of its folder; `null` is the root.
    #[serde(default)]
    pub parent: NewParent,
    /// What to do when the name is taken.
    pub on_conflict: Option<OnConflict>,
}

impl Destination {
    /// The name and the folder of what has this name in this folder now.
    #[must_use]
    pub fn of(&self, name: &Name, parent: Option<&NodeId>) -> (Name, Option<NodeId>) {
        let name = self.name.as_ref().unwrap_or(name).clone();
        let parent = match &self.parent {
            NewParent::Same => parent.cloned(),
            NewParent::Root => None,
            NewParent::Folder(folder) => Some(folder.clone()),
        };
        (name, parent)
    }
}

/// Another folder, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NewParent {
    /// The same as before.
    #[default]
    Same,
    /// The root.
    Root,
    /// This one.
    Folder(NodeId),
}

impl<'de> Deserialize<'de> for NewParent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Root, Self::Folder))
    }
}

impl JsonSchema for NewParent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NewParent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<NodeId>::json_schema(generator)
    }
}

/// What has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// A file.
    ByFile,
    /// A folder.
    ByFolder,
}

/// Where a new file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placement {
    /// It gets an entry of its own, by that name.
    Insert,
    /// The file that has the name gets the new content.
    Replace,
    /// It gets an entry of its own, by another name.
    Rename,
    /// Nowhere.
    Refuse,
}

/// Where a new file goes when its name is `taken`, or is not.
#[must_use]
pub fn place(on_conflict: OnConflict, taken: Option<Taken>) -> Placement {
    match (on_conflict, taken) {
        (_, None) => Placement::Insert,
        (OnConflict::Rename, Some(_)) => Placement::Rename,
        (OnConflict::Replace, Some(Taken::ByFile)) => Placement::Replace,
        (OnConflict::Replace, Some(Taken::ByFolder)) | (OnConflict::Fail, Some(_)) => Placement::Refuse,
    }
}

/// The name with a number: `a (1).txt`, and `a (1)` for a name without extension. What would be too long is cut before the
/// number.
#[must_use]
pub fn numbered(name: &Name, number: u64) -> Name {
    let (stem, extension) = split(name);
    let suffix = format!(" ({number}){extension}");
    let end = floor_of_boundary(stem, MAX_LENGTH.saturating_sub(suffix.len()));
    // A valid name with valid characters added is one.
    Name::try_from(format!("{}{suffix}", &stem[..end])).unwrap_or_else(|_| name.clone())
}

/// Whether a name is another one with a number.
#[must_use]
pub fn is_numbered(name: &Name, base: &Name) -> bool {
    // Not what `name` itself seems to end with: where a long name was cut, a dot in it can come close to its end.
    let (_, extension) = split(base);
    let digits = name
        .as_str()
        .strip_suffix(extension)
        .and_then(|stem| Some(stem.strip_suffix(')')?.rsplit_once(" (")?.1));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.is_some_and(|number| numbered(base, number) == *name)
}

/// The stem, and the extension with its dot. A name that begins with its only dot is all stem, and an extension longer
/// than 32 bytes is none.
fn split(name: &Name) -> (&str, &str) {
    let text = name.as_str();
    match text.rfind('.') {
        Some(dot) if dot > 0 && text.len() - dot <= 33 => text.split_at(dot),
        _ => (text, ""),
    }
}

/// The smallest number whose numbered name is not among `taken`.
pub fn next_free<'a>(name: &Name, taken: impl IntoIterator<Item = &'a Name>) -> u64 {
    let taken: std::collections::HashSet<&Name> = taken.into_iter().collect();
    // One of these is free: there are more of them than names.
    (1..=taken.len() as u64 + 1)
        .find(|number| !taken.contains(&numbered(name, *number)))
        .unwrap_or(1)
}

/// Numbers among which one is to be taken at random, that most likely give a name which is not taken. `known`: names that
/// are; `all`: there are no others. `attempt`: how often a number was taken that was not free.
pub fn free_numbers<'a>(
    name: &Name,
    known: impl IntoIterator<Item = &'a Name>,
    all: bool,
    attempt: u64,
) -> Range<u64> {
    let known: Vec<&Name> = known.into_iter().collect();
    if all {
        let free = next_free(name, known);
        return free..free + attempt.max(1);
    }
    // Too many to know them all. Most have the smallest numbers: beyond them, and farther with each attempt.
    let beyond = known.len() as u64 + 1;
    let digits = u32::try_from(attempt).unwrap_or(u32::MAX).clamp(1, 6);
    beyond..beyond + 1000 * 100_u64.pow(digits)
}

/// What all numbered forms of a name begin with.
#[must_use]
pub fn stem_of_numbered(name: &Name) -> String {
    let (stem, extension) = split(name);
    // " (18446744073709551615)" is the longest number there is.
    let room = MAX_LENGTH - 23 - extension.len();
    if stem.len() <= room {
        return format!("{stem} (");
    }
    stem[..floor_of_boundary(stem, room)].to_owned()
}

fn floor_of_boundary(text: &str, at_most: usize) -> usize {
    (0..=text.len().min(at_most))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn the_root_is_another_destination_than_none() {
        let read = |text| serde_json::from_str::<Destination>(text);
        assert_eq!(read("{}").unwrap(), Destination::default());
        let parent = |text| read(text).unwrap().parent;
        assert_eq!(parent("{}"), NewParent::Same);
        assert_eq!(parent(r#"{"parent": null}"#), NewParent::Root);
        let folder = NewParent::Folder("f".parse().unwrap());
        assert_eq!(parent(r#"{"parent": "f"}"#), folder);
        for bad in [
            r#"{"parent": ""}"#,
            r#"{"parent": "a/b"}"#,
            r#"{"name": ".."}"#,
            r#"{"on_conflict": "x"}"#,
            r#"{"size": 1}"#,
            "[]",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_destination_does_not_say_stays_as_it_is() {
        let (a, b, f) = (name("a"), name("b"), "f".parse::<NodeId>().unwrap());
        let of = |name: Option<&Name>, parent| {
            let to = Destination {
                name: name.cloned(),
                parent,
                on_conflict: None,
            };
            to.of(&a, Some(&f))
        };
        let g = "g".parse::<NodeId>().unwrap();
        assert_eq!(of(None, NewParent::Same), (a.clone(), Some(f.clone())));
        assert_eq!(of(Some(&b), NewParent::Same), (b.clone(), Some(f.clone())));
        assert_eq!(of(None, NewParent::Root), (a.clone(), None));
        assert_eq!(of(Some(&b), NewParent::Folder(g.clone())), (b.clone(), Some(g)));
    }

    #[test]
    fn numbers_go_before_the_extension() {
        for (from, to) in [
            ("a.txt", "a (1).txt"),
            ("a", "a (1)"),
            (".profile", ".profile (1)"),
            ("a.tar.gz", "a.tar (1).gz"),
            ("a (1).txt", "a (1) (1).txt"),
            ("a.", "a (1)."),
        ] {
            assert_eq!(numbered(&name(from), 1).as_str(), to);
        }
    }

    #[test]
    fn the_first_free_number_is_taken() {
        let a = name("a.txt");
        let taken = [name("a (1).txt"), name("a (3).txt"), name("a (2).png")];
        assert_eq!(next_free(&a, &taken), 2);
        assert_eq!(next_free(&a, &[]), 1);
    }

    #[test]
    fn a_dot_that_comes_close_to_the_end_by_cutting_begins_no_extension() {
        let long = name(&format!("{}.{}", "a".repeat(220), "b".repeat(34)));
        let cut = numbered(&long, 12);
        assert_eq!(
            cut.as_str(),
            format!("{}.{} (12)", "a".repeat(220), "b".repeat(29))
        );
        assert!(is_numbered(&cut, &long));
    }

    #[test]
    fn numbers_that_are_known_to_be_taken_are_not_tried() {
        let a = name("a.txt");
        let taken = [name("a (1).txt"), name("a (2).txt")];
        assert_eq!(free_numbers(&a, &taken, true, 0), 3..4);
        assert_eq!(free_numbers(&a, &taken, true, 5), 3..8);
        assert_eq!(free_numbers(&a, &[], true, 1), 1..2);
        // There are others: many more are tried each time, and never none.
        assert_eq!(free_numbers(&a, &taken, false, 1), 3..100_003);
        let many = |attempt| free_numbers(&a, &taken, false, attempt);
        assert!((1..40).all(|attempt| many(attempt).end <= many(attempt + 1).end));
        assert!(!many(u64::MAX).is_empty());
    }

    #[test]
    fn folders_are_never_replaced() {
        use OnConflict::{Fail, Rename, Replace};
        let of = |wish| [None, Some(Taken::ByFile), Some(Taken::ByFolder)].map(|taken| place(wish, taken));
        let (insert, refuse) = (Placement::Insert, Placement::Refuse);
        assert_eq!(of(Fail), [insert, refuse, refuse]);
        assert_eq!(of(Rename), [insert, Placement::Rename, Placement::Rename]);
        assert_eq!(of(Replace), [insert, Placement::Replace, refuse]);
    }

    proptest! {
        #[test]
        fn numbered_names_are_names_and_differ(text in "[^/\\\\\\pC]{1,255}", n in 1u64.., m in 1u64..) {
            if let Ok(name) = Name::try_from(text) {
                let with = |number| numbered(&name, number);
                prop_assert_ne!(&with(n), &name);
                prop_assert!(n == m || with(n) != with(m));
                prop_assert!(with(n).as_str().starts_with(&stem_of_numbered(&name)));
                prop_assert!(is_numbered(&with(n), &name) && !is_numbered(&name, &name));
            }
        }
    }
}
