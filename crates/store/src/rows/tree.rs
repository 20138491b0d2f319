//! Files and folders.

use super::keys::account_partition;
use crate::table::{Item, Key, Row};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::content::ContentId;
use domain::id::{AccountId, BlobId, NodeId};
use domain::name::Name;
use domain::placement::Taken;
use domain::search::Place;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its id.
    pub id: NodeId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name within the parent.
    pub name: Name,
    /// The folder it is in; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// What a file has and a folder has not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileContent>,
    /// How many entries a folder has. Kept by the transactions that add and remove them.
    #[serde(default)]
    pub entries: u64,
    /// Goes up with every change of it. How many entries it has is none: each upload would be one of its folder.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Since when it is in the trash by itself: then it has no entry, and name and parent say where it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trashed_at: Option<Timestamp>,
}

/// What a file refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContent {
    /// Bytes.
    pub size: u64,
    /// The media type that downloads have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// What identifies the bytes.
    pub content_id: ContentId,
    /// Where the bytes are.
    pub blob: BlobId,
    /// The first content of a file is 1, each later one has a larger number, and none has the number of another.
    #[serde(skip_serializing_if = "is_first", default = "first")]
    pub number: u64,
    /// Since when the file has it, if it is not the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// The number that it had before it was restored, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub restored: Option<u64>,
    /// As a version it is kept for good.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub kept: bool,
}

fn first() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_first(number: &u64) -> bool {
    *number == first()
}

impl FileContent {
    /// The first content of a new file.
    #[must_use]
    pub fn new(size: u64, content_type: Option<String>, content_id: ContentId, blob: BlobId) -> Self {
        Self {
            size,
            content_type,
            content_id,
            blob,
            number: first(),
            since: None,
            restored: None,
            kept: false,
        }
    }

    /// The same bytes as the first content of a new file.
    #[must_use]
    pub fn of_new_file(&self) -> Self {
        let (content_type, blob) = (self.content_type.clone(), self.blob.clone());
        Self::new(self.size, content_type, self.content_id, blob)
    }

    /// Whether the file may have versions: it had other contents before.
    #[must_use]
    pub fn may_have_versions(&self) -> bool {
        self.number > first()
    }
}

impl NodeRow {
    /// What all nodes' sort keys begin with.
    pub const PREFIX: &str = "NODE#";

    /// A new file or an empty folder.
    #[must_use]
    pub fn new(
        id: NodeId,
        account: AccountId,
        (name, parent): (Name, Option<NodeId>),
        file: Option<FileContent>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            name,
            parent,
            file,
            entries: 0,
            version: 1,
            created_at: now,
            updated_at: now,
            trashed_at: None,
        }
    }

    /// Whether it is a file that may have versions, which go before it does.
    #[must_use]
    pub fn may_have_versions(&self) -> bool {
        self.file.as_ref().is_some_and(FileContent::may_have_versions)
    }

    /// As what it takes its name.
    #[must_use]
    pub fn taken(&self) -> Taken {
        match self.file {
            Some(_) => Taken::ByFile,
            None => Taken::ByFolder,
        }
    }

    /// As much of a node as removing it wants, whatever else cannot be read: its place, what it refers to, how many entries
    /// it has, its version, whether it is in the trash. The rest is made up.
    #[must_use]
    pub fn remains(account: &AccountId, node: &NodeId, item: &Item) -> Option<Self> {
        let parent = item.get("parent").map(|parent| parsed(Some(parent)));
        let trashed_at = item.get("trashed_at").map(|at| parsed(Some(at)));
        let file = item.get("file").map(|file| {
            let file = file.as_m().ok()?;
            let number = |attribute: &AttributeValue| attribute.as_n().ok()?.parse().ok();
            let size = number(file.get("size")?)?;
            let (content_id, blob) = (parsed(file.get("content_id"))?, parsed(file.get("blob"))?);
            Some(FileContent {
                number: file.get("number").map_or(Some(first()), number)?,
                ..FileContent::new(size, None, content_id, blob)
            })
        });
        let entries = match &file {
            // A folder that cannot say how many it has is not known to be empty.
            None => item.get("entries")?.as_n().ok()?.parse().ok()?,
            Some(_) => 0,
        };
        Some(Self {
            id: node.clone(),
            account: account.clone(),
            name: parsed(item.get("name"))?,
            // What is there and cannot be read is not as if it were not there.
            parent: parent.map_or(Some(None), |parent| parent.map(Some))?,
            file: file.map_or(Some(None), |file| file.map(Some))?,
            entries,
            version: item.get("version")?.as_n().ok()?.parse().ok()?,
            created_at: parsed(item.get("created_at")).unwrap_or_default(),
            updated_at: parsed(item.get("updated_at")).unwrap_or_default(),
            trashed_at: trashed_at.map_or(Some(None), |at| at.map(Some))?,
        })
    }

    /// Where a node is.
    #[must_use]
    pub fn key_of(account: &AccountId, node: &NodeId) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{node}", Self::PREFIX),
        }
    }
}

/// An attribute that is a text of a kind.
fn parsed<T: FromStr>(value: Option<&AttributeValue>) -> Option<T> {
    value?.as_s().ok()?.parse().ok()
}

impl Row for NodeRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// The entry of a folder for one node: makes names unique within it, and lists the nodes in the order of their names. It has all
/// that the node has but for how many entries that has, so a list reads nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryRow {
    /// Whose it is.
    pub account: AccountId,
    /// The folder; none is the root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<NodeId>,
    /// The name within it.
    pub name: Name,
    /// What is called so.
    pub node: NodeId,
    /// The node's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileContent>,
    /// The node's.
    pub version: u64,
    /// The node's.
    pub created_at: Timestamp,
    /// The node's.
    pub updated_at: Timestamp,
}

impl EntryRow {
    /// What all entries' sort keys begin with. A [`Place`] follows.
    pub const PREFIX: &str = "ENTRY#";

    /// What the sort keys of a folder's entries begin with. The root is the folder without an id.
    #[must_use]
    pub fn prefix(parent: Option<&NodeId>) -> String {
        format!("{}{}#", Self::PREFIX, parent.map_or("", NodeId::as_str))
    }

    /// Where an entry is.
    #[must_use]
    pub fn key_of(account: &AccountId, parent: Option<&NodeId>, name: &Name) -> Key {
        Key {
            pk: account_partition(account),
            sk: format!("{}{name}", Self::prefix(parent)),
        }
    }

    /// Where it is in the order of all entries.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            parent: self.parent.clone(),
            name: self.name.clone(),
        }
    }

    /// The entry of a node.
    #[must_use]
    pub fn of(node: &NodeRow) -> Self {
        let NodeRow {
            account,
            parent,
            name,
            id,
            file,
            version,
            created_at,
            updated_at,
            entries: _,
            trashed_at: _,
        } = node.clone();
        Self {
            account,
            parent,
            name,
            node: id,
            file,
            version,
            created_at,
            updated_at,
        }
    }

    /// The node, as if it were an empty folder if it is one.
    #[must_use]
    pub fn into_node(self) -> NodeRow {
        NodeRow {
            id: self.node,
            account: self.account,
            name: self.name,
            parent: self.parent,
            file: self.file,
            entries: 0,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            trashed_at: None,
        }
    }
}

impl Row for EntryRow {
    fn key(&self) -> Key {
        Self::key_of(&self.account, self.parent.as_ref(), &self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of everything that an item of a node may have in it, one thing at a time cannot be read.
    #[test]
    fn a_node_is_removed_by_what_can_be_read_of_it() {
        let (account, id): (AccountId, NodeId) = ("a".parse().unwrap(), "n".parse().unwrap());
        let content: ContentId = "AzeAIB3q5CLlOsBZwSpKu8CaLA7QUyq8Pjh+4MHg3OQ=-1".parse().unwrap();
        let file = FileContent {
            number: 3,
            ..FileContent::new(7, None, content, "b".parse().unwrap())
        };
        let node = |parent: Option<&str>, file: Option<&FileContent>, entries| NodeRow {
            id: id.clone(),
            account: account.clone(),
            name: "x".parse().unwrap(),
            parent: parent.map(|parent| parent.parse().unwrap()),
            file: file.cloned(),
            entries,
            version: 4,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            trashed_at: parent.is_none().then_some(Timestamp::UNIX_EPOCH),
        };
        let odd = || AttributeValue::Bool(true);
        let mut cases = 0;
        for whole in [
            node(None, None, 3),
            node(Some("p"), None, 0),
            node(None, Some(&file), 0),
            node(Some("p"), Some(&file), 0),
        ] {
            let item: Item = serde_dynamo::to_item(&whole).unwrap();
            assert_eq!(NodeRow::remains(&account, &id, &item).as_ref(), Some(&whole));
            for name in item.keys() {
                let mut broken = item.clone();
                broken.insert(name.clone(), odd());
                let needed = match name.as_str() {
                    "name" | "parent" | "file" | "version" | "trashed_at" => true,
                    "entries" => whole.file.is_none(),
                    _ => false,
                };
                let expected = (!needed).then_some(&whole);
                let remains = NodeRow::remains(&account, &id, &broken);
                assert_eq!(remains.as_ref(), expected, "{name} of {whole:?}");
                cases += 1;
            }
            let Some(AttributeValue::M(content)) = item.get("file") else {
                continue;
            };
            for name in content.keys() {
                let mut content = content.clone();
                content.insert(name.clone(), odd());
                let mut broken = item.clone();
                broken.insert("file".to_owned(), AttributeValue::M(content));
                assert_eq!(NodeRow::remains(&account, &id, &broken), None, "{name}");
                cases += 1;
            }
        }
        assert!(cases > 30, "{cases}");
    }
}
