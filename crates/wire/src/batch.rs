//! Many files and folders in one request.

use crate::body::Json;
use crate::declaration::Declaration;
use crate::file::Node;
use crate::problem::Document;
use domain::id::NodeId;
use domain::placement::{NewParent, OnConflict};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[Declaration::of::<Batch>()];

/// How many items a batch has at most.
pub const MOST_ITEMS: usize = 100;

endpoint! {
    /// Moves, deletes or restores many files and folders
    Batch: "file-batch", POST "/v1/files/batch", batchFiles;
    caller: EitherScope(Upload | Admin),
    body: Json<Work>,
    answer: Json<Results> = "What became of each item, in the order asked",
    problems: [],
}

/// What is to be done to all of the items.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "Batch", tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// They come into another folder, and keep their names. It needs the scope `upload`.
    Move {
        /// Which ones.
        items: Items,
        /// The id of the folder; `null` is the root.
        #[schemars(with = "NewParent")]
        parent: Option<NodeId>,
        /// What to do when a name is taken.
        on_conflict: Option<OnConflict>,
    },
    /// They come into the trash. It needs the scope `admin`.
    Trash {
        /// Which ones.
        items: Items,
    },
    /// They come back from the trash. It needs the scope `upload`.
    Restore {
        /// Which ones.
        items: Items,
        /// The id of the folder that they come into; `null` is the root. Absent: the one that each was in.
        #[schemars(default)]
        parent: NewParent,
        /// What to do when a name is taken.
        on_conflict: Option<OnConflict>,
    },
    /// They are removed, from the trash as well, with all that is in them. It needs the scope `admin`.
    Delete {
        /// Which ones.
        items: Items,
    },
}

/// What a batch may say. It is read as a whole, so that what is wrong in it is told with its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    op: Op,
    items: Items,
    #[serde(default)]
    parent: NewParent,
    #[serde(default)]
    on_conflict: Conflict,
}

/// What is said about names that are taken.
#[derive(Default, PartialEq, Eq)]
enum Conflict {
    /// Nothing.
    #[default]
    Absent,
    /// This, or `null`.
    Said(Option<OnConflict>),
}

impl<'de> Deserialize<'de> for Conflict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Said)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Move,
    Trash,
    Restore,
    Delete,
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Said {
            op,
            items,
            parent,
            on_conflict,
        } = Said::deserialize(deserializer)?;
        let goes_nowhere = parent == NewParent::Same && on_conflict == Conflict::Absent;
        let on_conflict = match on_conflict {
            Conflict::Absent => None,
            Conflict::Said(on_conflict) => on_conflict,
        };
        let work = match op {
            Op::Move => Self::Move {
                items,
                parent: match parent {
                    NewParent::Same => return Err(Error::missing_field("parent")),
                    NewParent::Root => None,
                    NewParent::Folder(folder) => Some(folder),
                },
                on_conflict,
            },
            Op::Restore => Self::Restore {
                items,
                parent,
                on_conflict,
            },
            Op::Trash if goes_nowhere => Self::Trash { items },
            Op::Delete if goes_nowhere => Self::Delete { items },
            Op::Trash | Op::Delete => {
                let only = "\"parent\" and \"on_conflict\" are for \"move\" and \"restore\" only";
                return Err(Error::custom(only));
            }
        };
        Ok(work)
    }
}

/// Files and folders, none twice.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
#[schemars(inline, extend("minItems" = 1, "maxItems" = MOST_ITEMS))]
pub struct Items(Vec<Item>);

impl Items {
    /// In the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[Item] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<Item>::deserialize(deserializer)?;
        if !(1..=MOST_ITEMS).contains(&items.len()) {
            let are = items.len();
            return Err(Error::custom(format!("1 to {MOST_ITEMS} items, not {are}")));
        }
        let mut seen = BTreeSet::new();
        match items.iter().find(|item| !seen.insert(&item.id)) {
            Some(Item { id, .. }) => Err(Error::custom(format!("the id {id} is there twice"))),
            None => Ok(Self(items)),
        }
    }
}

/// One of the files and folders that a batch is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(rename = "BatchItem")]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Which one.
    pub id: NodeId,
    /// Nothing is done to it when it has another version by now.
    pub version: Option<u64>,
}

/// What became of the items of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BatchResults")]
pub struct Results {
    /// One for each item, in the order asked.
    pub results: Vec<ItemResult>,
}

/// What became of one item of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ItemResult {
    /// It could not be done.
    Refused {
        /// Which one.
        id: NodeId,
        /// What a request about this one would have been answered. With `unavailable` nobody knows whether it was done, or it was
        /// not tried because there was no time: it can be sent again.
        problem: Document,
    },
    /// It was moved or restored, now or before.
    There {
        /// Which one.
        id: NodeId,
        /// As it is now.
        node: Box<Node>,
    },
    /// It is in the trash, or removed.
    Gone {
        /// Which one.
        id: NodeId,
        /// Of a folder: how many uploads into it are open, counted up to 1000; absent when there are none. They are still listed,
        /// can be given up, and can be completed into another folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        open_uploads: Option<u32>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Work, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn items(items: &[(&str, Option<u64>)]) -> Items {
        let item = |(id, version): &(&str, Option<u64>)| Item {
            id: id.parse().unwrap(),
            version: *version,
        };
        Items(items.iter().map(item).collect())
    }

    #[test]
    fn only_what_goes_somewhere_says_where() {
        let two = || items(&[("a", None), ("b", Some(3))]);
        let said = |rest: &str| {
            read(&format!(
                r#"{{"items": [{{"id": "a"}}, {{"id": "b", "version": 3}}], {rest}}}"#
            ))
        };
        let to = |parent: Option<&str>, on_conflict| Work::Move {
            items: two(),
            parent: parent.map(|parent| parent.parse().unwrap()),
            on_conflict,
        };
        assert_eq!(said(r#""op": "move", "parent": null"#), Ok(to(None, None)));
        assert_eq!(
            said(r#""op": "move", "parent": "f", "on_conflict": "rename""#),
            Ok(to(Some("f"), Some(OnConflict::Rename)))
        );
        assert_eq!(said(r#""op": "trash""#), Ok(Work::Trash { items: two() }));
        assert_eq!(said(r#""op": "delete""#), Ok(Work::Delete { items: two() }));
        let restored = |parent| Work::Restore {
            items: two(),
            parent,
            on_conflict: None,
        };
        assert_eq!(said(r#""op": "restore""#), Ok(restored(NewParent::Same)));
        assert_eq!(
            said(r#""op": "restore", "parent": null, "on_conflict": null"#),
            Ok(restored(NewParent::Root))
        );
        for bad in [
            r#""op": "copy""#,
            r#""op": "move""#,
            r#""op": "trash", "parent": null"#,
            r#""op": "trash", "on_conflict": null"#,
            r#""op": "delete", "parent": "f""#,
            r#""op": "restore", "name": "a""#,
            r#""parent": null"#,
        ] {
            assert!(said(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn there_are_some_items_and_none_twice() {
        let said = |items: &str| read(&format!(r#"{{"op": "trash", "items": [{items}]}}"#));
        let error = said(r#"{"id": "a"}, {"id": "b"}, {"id": "a", "version": 1}"#).unwrap_err();
        assert!(error.contains("the id a is there twice"), "{error}");
        let many = |count: usize| {
            let items: Vec<_> = (0..count).map(|id| format!(r#"{{"id": "{id}"}}"#)).collect();
            said(&items.join(","))
        };
        assert!(many(1).is_ok() && many(MOST_ITEMS).is_ok());
        for bad in [0, MOST_ITEMS + 1] {
            let error = many(bad).unwrap_err();
            assert!(error.contains(&format!("1 to 100 items, not {bad}")), "{error}");
        }
        for bad in [
            r#"{"id": "a/b"}"#,
            r#"{"id": ""}"#,
            r#"{"version": 1}"#,
            r#"{"id": "a", "version": "1"}"#,
            r#"{"id": "a", "name": "b"}"#,
            r#""a""#,
        ] {
            assert!(said(bad).is_err(), "{bad}");
        }
    }
}
