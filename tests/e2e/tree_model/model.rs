//! What a tree is, as simply as it can be said.

use super::step::{NAMES, OnConflict, QUOTA, SIZES};

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) name: String,
    /// Which content a file has; folders have none.
    pub(super) content: Option<usize>,
    /// Which one that is, counted from 1.
    pub(super) number: u64,
    /// Those that it had before, each with its number: fewer than are kept at most.
    pub(super) versions: Vec<(u64, usize)>,
    pub(super) deleted: bool,
}

impl Node {
    /// It has another content from now on, and keeps the one that it had.
    pub(super) fn gets(&mut self, content: Option<usize>) {
        if let Some(old) = self.content.filter(|_| self.content != content) {
            self.versions.push((self.number, old));
            self.number += 1;
            self.content = content;
        }
    }
}

/// An upload that has not ended.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) name: &'static str,
    pub(super) content: usize,
    pub(super) on_conflict: OnConflict,
}

/// Where something new goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlacedAt {
    /// Beside the others, under this name.
    Beside(String),
    /// Into this node, the one with this number.
    Into(usize),
}

/// The code of a refusal.
pub(super) type Code = &'static str;

#[derive(Debug, Default)]
pub(super) struct Model {
    /// All that were ever made.
    pub(super) nodes: Vec<Node>,
    pub(super) uploads: Vec<Upload>,
}

/// A name with a number, as `on_conflict: rename` makes it.
pub(super) fn numbered(name: &str, number: usize) -> String {
    match name.split_once('.') {
        Some((stem, extension)) => format!("{stem} ({number}).{extension}"),
        None => format!("{name} ({number})"),
    }
}

impl Model {
    /// Which folder a number stands for: 0 is the top, the others are any nodes, even files and deleted ones.
    pub(super) fn parent(&self, number: usize) -> Option<String> {
        let place = number.checked_sub(1)? % self.nodes.len().max(1);
        self.nodes.get(place).map(|node| node.id.clone())
    }

    fn entry(&self, parent: Option<&str>, name: &str) -> Option<usize> {
        self.nodes
            .iter()
            .position(|node| !node.deleted && node.parent.as_deref() == parent && node.name == name)
    }

    /// Where something new goes, or why it goes nowhere.
    pub(super) fn place(
        &self,
        parent: Option<&str>,
        name: &str,
        on_conflict: OnConflict,
    ) -> Result<PlacedAt, Code> {
        let folder = |id: &str| {
            let mut folders = self
                .nodes
                .iter()
                .filter(|node| !node.deleted && node.content.is_none());
            folders.any(|node| node.id == id)
        };
        if parent.is_some_and(|id| !folder(id)) {
            return Err("parent_not_found");
        }
        let Some(taken) = self.entry(parent, name) else {
            return Ok(PlacedAt::Beside(name.to_owned()));
        };
        match on_conflict {
            OnConflict::Rename => {
                let mut names = (1..).map(|number| numbered(name, number));
                let free = names.find(|name| self.entry(parent, name).is_none());
                Ok(PlacedAt::Beside(free.unwrap()))
            }
            OnConflict::Replace if self.nodes[taken].content.is_some() => Ok(PlacedAt::Into(taken)),
            OnConflict::Fail | OnConflict::Replace => Err("name_taken"),
        }
    }

    /// Puts a file or folder into its place.
    pub(super) fn put(&mut self, place: PlacedAt, id: &str, parent: Option<String>, content: Option<usize>) {
        match place {
            PlacedAt::Beside(name) => self.nodes.push(Node {
                id: id.to_owned(),
                parent,
                name,
                content,
                number: 1,
                versions: Vec::new(),
                deleted: false,
            }),
            PlacedAt::Into(number) => {
                let node = &mut self.nodes[number];
                node.gets(content);
            }
        }
    }

    /// Whether some file has the content, or had it.
    pub(super) fn has(&self, content: usize) -> bool {
        self.files().any(|has| has == content)
    }

    fn files(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().filter(|node| !node.deleted).flat_map(|node| {
            node.versions
                .iter()
                .map(|(_, content)| *content)
                .chain(node.content)
        })
    }

    /// Bytes of files, of their versions, and of uploads under way.
    pub(super) fn used(&self) -> u64 {
        let contents = self
            .files()
            .chain(self.uploads.iter().map(|upload| upload.content));
        contents.map(|content| SIZES[content] as u64).sum()
    }

    /// Whether there is room for a content. What the file has that gets it needs no more.
    pub(super) fn has_room(&self, content: usize, place: Option<&PlacedAt>) -> bool {
        let is_there = match place {
            Some(PlacedAt::Into(number)) => self.nodes[*number].content == Some(content),
            _ => false,
        };
        let more = if is_there { 0 } else { SIZES[content] as u64 };
        self.used() + more <= QUOTA
    }

    /// What is in a folder, in the order of the names.
    pub(super) fn list(&self, parent: Option<&str>) -> Vec<&Node> {
        let mut there: Vec<&Node> = self
            .nodes
            .iter()
            .filter(|node| !node.deleted && node.parent.as_deref() == parent)
            .collect();
        there.sort_by(|one, other| one.name.cmp(&other.name));
        there
    }

    /// The top, and all folders that there are.
    pub(super) fn folders(&self) -> Vec<Option<String>> {
        let folders = self
            .nodes
            .iter()
            .filter(|node| !node.deleted && node.content.is_none());
        [None]
            .into_iter()
            .chain(folders.map(|node| Some(node.id.clone())))
            .collect()
    }
}

/// A name of the list.
pub(super) fn name(number: usize) -> &'static str {
    NAMES[number % NAMES.len()]
}
