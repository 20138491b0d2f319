//! The classes of what the sweep has to look at, and the partitions of the index that each has.

use crate::key::{ACCOUNT, BLOB, EMPTIED, Key, TRASH, VERSION};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What the sweep does one after the other of the same sort, and beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Uploads and replicas: somebody may wait for them.
    Transfers,
    /// Blobs: nobody waits for them.
    Blobs,
    /// Accounts that are deleted, which may have any number of files.
    Accounts,
    /// What is in the trash, which may have as many, and versions of files.
    Trash,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Transfers, Self::Blobs, Self::Accounts, Self::Trash];

    /// The class of an item.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        let kind = key.sk.split('#').next().unwrap_or_default();
        match kind {
            ACCOUNT => Self::Accounts,
            BLOB => Self::Blobs,
            TRASH | EMPTIED | VERSION => Self::Trash,
            _ => Self::Transfers,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Blobs => "blobs",
            Self::Accounts => "accounts",
            Self::Trash => "trash",
        }
    }

    /// How many partitions it has, and what their names begin with.
    const fn partitions(self) -> (u64, &'static str) {
        match self {
            // Each upload writes here about four times, with a replica. docs/limits.md says how far these reach.
            Self::Transfers => (16, ""),
            Self::Blobs => (4, "b"),
            Self::Accounts => (1, "a"),
            Self::Trash => (1, "t"),
        }
    }

    /// The partitions that its items are in.
    pub fn shards(self) -> impl Iterator<Item = String> {
        let (count, prefix) = self.partitions();
        (0..count).map(move |number| format!("{prefix}{number}"))
    }
}

/// The attributes that make the sweep look at an item.
pub(super) fn due_attributes(key: &Key, at: Timestamp) -> [(String, AttributeValue); 2] {
    [
        ("due_shard".to_owned(), AttributeValue::S(shard_of(key))),
        ("due_at".to_owned(), AttributeValue::N(at.as_second().to_string())),
    ]
}

/// The partition that an item belongs to.
fn shard_of(key: &Key) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let (count, prefix) = Class::of(key).partitions();
    format!("{prefix}{}", hasher.finish() % count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_item_is_in_a_partition_of_its_class_and_all_partitions_are_used() {
        for (class, sk) in [
            (Class::Transfers, "UPLOAD#u"),
            (Class::Transfers, "REPLICA#t"),
            (Class::Blobs, "BLOB"),
            (Class::Accounts, "ACCOUNT"),
            (Class::Trash, "TRASH#000000000000001#n"),
            (Class::Trash, "EMPTIED"),
            (Class::Trash, "VERSION#n#0000000001"),
        ] {
            let all: HashSet<String> = class.shards().collect();
            let used: HashSet<String> = (0..5000)
                .map(|number| {
                    let key = Key {
                        pk: format!("P#{number}"),
                        sk: sk.to_owned(),
                    };
                    assert_eq!(Class::of(&key), class);
                    shard_of(&key)
                })
                .collect();
            assert_eq!(used, all, "{sk}");
        }
        let all: HashSet<String> = Class::ALL.into_iter().flat_map(Class::shards).collect();
        assert_eq!(all.len(), 22, "no two classes share a partition");
    }
}
