//! What is in the trash.

use super::keys::account_partition;
use super::tree::NodeRow;
use crate::table::{Item, Key, Row, number};
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A file or folder that is in the trash, by itself: what is within a folder has no such row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashRow {
    /// Whose it is.
    pub account: AccountId,
    /// The file or folder.
    pub node: NodeId,
    /// Since when it is in the trash.
    pub trashed_at: Timestamp,
    /// When it is removed.
    pub expires_at: Timestamp,
    /// Somebody wants it to be removed at once. It cannot be restored any more.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub purging: bool,
    /// Bytes of what goes with it, which are among the account's `trash_bytes`. A folder has none before it is counted, and when
    /// it is being removed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
    /// How many files go with it, itself included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub files: Option<u64>,
    /// How far a folder is counted that has more in it than one sweep counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counting: Option<Counting>,
}

/// How far a folder is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// Bytes until there.
    pub bytes: u64,
    /// Files until there.
    pub files: u64,
    /// The folders that are not counted to their end: each is within the one before it.
    pub folders: Vec<CountedFolder>,
}

/// A folder that is not counted to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFolder {
    /// Which one.
    pub folder: NodeId,
    /// The last name in it that is counted, or is of the next folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Name>,
}

impl TrashRow {
    /// What the sort keys of all that is in a trash begin with. They are in the order in which it came there.
    pub const PREFIX: &str = "TRASH#";

    /// The row of a node that comes into the trash. What is in a folder is counted later.
    #[must_use]
    pub fn new(node: &NodeRow, trashed_at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            account: node.account.clone(),
            node: node.id.clone(),
            trashed_at,
            expires_at,
            purging: false,
            bytes: node.file.as_ref().map(|file| file.size),
            files: node.file.as_ref().map(|_| 1),
            counting: None,
        }
    }

    /// The condition that a row is there and has as many bytes as it had, and its values. Whatever changes these bytes has it, and
    /// changes the account's with them.
    pub(crate) fn still_has(bytes: Option<u64>) -> (&'static str, Item) {
        match bytes {
            Some(bytes) => (
                "#bytes = :bytes",
                Item::from([(":bytes".to_owned(), number(bytes))]),
            ),
            None => (
                "attribute_exists(pk) AND attribute_not_exists(#bytes)",
                Item::new(),
            ),
        }
    }

    /// Where the row of a node is that came into the trash at this moment.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId, trashed_at: Timestamp) -> Key {
        let node = node.clone();
        let place = TrashPlace { trashed_at, node };
        Key {
            pk: account_partition(account),
            sk: format!("{}{place}", Self::PREFIX),
        }
    }

    /// When something came into the trash, from the key of its row: to the millisecond.
    #[must_use]
    pub fn moment_of(key: &Key) -> Option<Timestamp> {
        let place: TrashPlace = key.sk.strip_prefix(Self::PREFIX)?.parse().ok()?;
        Some(place.trashed_at)
    }

    /// The key of a node's row, if it is in the trash by itself.
    #[must_use]
    pub fn key_for(node: &NodeRow) -> Option<Key> {
        let trashed_at = node.trashed_at?;
        Some(Self::key_of(&node.account, &node.id, trashed_at))
    }
}

impl Row for TrashRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.node, self.trashed_at)
    }

    fn due_at(&self) -> Option<Timestamp> {
        Some(if self.purging || self.bytes.is_none() {
            self.trashed_at
        } else {
            self.expires_at
        })
    }
}

/// A place in the order in which things came into the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashPlace {
    /// When it came there, to the millisecond.
    trashed_at: Timestamp,
    /// What did.
    node: NodeId,
}

impl fmt::Display for TrashPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}#{}", self.trashed_at.as_millisecond(), self.node)
    }
}

impl FromStr for TrashPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let place = || {
            let (moment, node) = text.split_once('#')?;
            let trashed_at = Timestamp::from_millisecond(moment.parse().ok()?).ok()?;
            let node = node.parse().ok()?;
            Some(Self { trashed_at, node })
        };
        place()
            .filter(|place| place.to_string() == text)
            .ok_or("it is not the end of a page")
    }
}

/// A trash was emptied: what was in it until then is to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptiedRow {
    /// Whose it is.
    pub account: AccountId,
    /// The moment, in milliseconds since 1970, at which the newest thing that was in it had come there.
    pub through: i64,
    /// When that was asked for.
    pub emptied_at: Timestamp,
}

impl EmptiedRow {
    /// The sort key of every such row.
    pub const SK: &str = "EMPTIED";

    /// Where it is.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key {
            pk: account_partition(account),
            sk: Self::SK.to_owned(),
        }
    }

    /// Whether something was in the trash then.
    #[must_use]
    pub fn has(&self, trashed_at: Timestamp) -> bool {
        trashed_at.as_millisecond() <= self.through
    }
}

impl Row for EmptiedRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }

    fn due_at(&self) -> Option<Timestamp> {
        Some(self.emptied_at)
    }
}
