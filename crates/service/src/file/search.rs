//! Looking for names in all folders of an account.
//!
//! There is no index of words: an account's entries are read one page after the other, and not consistently, which costs half. What
//! matches is read again, consistently, so what is found is as it is now, or is not there.

use crate::folder::paths::Paths;
use domain::id::{AccountId, NodeId};
use domain::search::Words;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::rows::{EntryRow, NodeRow};
use store::table::Rows;
use store::{StoreError, Table};
use tokio::time::Instant;

/// How long is looked before what was found by then is the answer.
const LONG_ENOUGH: Duration = Duration::from_secs(2);
/// How many pages of entries are read for one answer: what all others of the account read from the same partition has to get through.
const MOST_PAGES: usize = 20;

/// How many nodes are read again at once: what one `BatchGetItem` reads.
const READ_AGAIN: usize = 100;

/// What somebody wants to find.
pub struct Wanted<'a> {
    /// Whose it is.
    pub account: &'a AccountId,
    /// What has to be in the name.
    pub words: &'a Words,
    /// Only what is within this folder.
    pub under: Option<&'a NodeId>,
    /// How many things are enough.
    pub limit: usize,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Files and folders, and their paths.
    pub nodes: Vec<(NodeRow, String)>,
    /// The place to go on after, if not all entries were looked at.
    pub next: Option<String>,
    /// How many things cannot be read.
    pub skipped: usize,
    /// What it cost: pages of entries, and up to a hundred nodes each.
    pub reads: u64,
}

/// Looks for names, after a place.
///
/// # Errors
/// [`StoreError`].
pub async fn search(table: &Table, wanted: &Wanted<'_>, after: Option<String>) -> Result<Found, StoreError> {
    let mut search = Search {
        table,
        wanted,
        paths: Paths::new(table, wanted.account),
        seen: BTreeSet::new(),
        found: Found::default(),
        until: Instant::now() + LONG_ENOUGH,
    };
    if let Some(under) = wanted.under {
        search.found.reads += search.paths.read([under.clone()]).await?;
        // What is in the trash is not found.
        if search.paths.of(under).is_none() {
            return Ok(search.found);
        }
    }
    let mut next = after;
    for _ in 0..MOST_PAGES {
        let page = table.tree().entries(wanted.account, next.as_deref()).await?;
        search.found.reads += 1;
        search.found.skipped += page.unreadable.len();
        let matching = page.rows.into_iter();
        let matching: Vec<EntryRow> = matching.filter(|row| wanted.words.are_in(&row.name)).collect();
        if let Some(place) = search.look_at(&matching).await? {
            search.found.next = Some(place);
            return Ok(search.found);
        }
        next = page.next;
        if next.is_none() || search.is_long_enough() {
            break;
        }
    }
    search.found.next = next;
    Ok(search.found)
}

struct Search<'a> {
    table: &'a Table,
    wanted: &'a Wanted<'a>,
    paths: Paths<'a>,
    /// Something that is moved meanwhile is among the entries twice.
    seen: BTreeSet<NodeId>,
    found: Found,
    until: Instant,
}

impl Search<'_> {
    fn is_long_enough(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Takes what matching entries lead to. Returns the place of the last one that was looked at, if that was enough.
    async fn look_at(&mut self, matching: &[EntryRow]) -> Result<Option<String>, StoreError> {
        let mut chunks = matching.chunks(READ_AGAIN).peekable();
        while let Some(entries) = chunks.next() {
            let keys = entries
                .iter()
                .map(|entry| NodeRow::key_of(self.wanted.account, &entry.node));
            let Rows { rows, unreadable } = self.table.get_many::<NodeRow>(keys).await?;
            self.found.skipped += unreadable.len();
            let parents = rows.iter().filter_map(|node| node.parent.clone());
            self.found.reads += 1 + self.paths.read(parents).await?;
            let mut nodes: BTreeMap<_, _> = rows.into_iter().map(|node| (node.id.clone(), node)).collect();
            for entry in entries {
                let Some(node) = nodes.remove(&entry.node) else {
                    continue;
                };
                self.take(node);
                if self.found.nodes.len() == self.wanted.limit {
                    return Ok(Some(entry.place().to_string()));
                }
            }
            let place = entries.last().map(|entry| entry.place().to_string());
            if chunks.peek().is_some() && self.is_long_enough() {
                return Ok(place);
            }
        }
        Ok(None)
    }

    /// Takes a node if it is what is wanted, as it is now.
    fn take(&mut self, node: NodeRow) {
        let is_there = node.trashed_at.is_none() && self.wanted.words.are_in(&node.name);
        let is_under = match (self.wanted.under, &node.parent) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(under), Some(parent)) => self.paths.is_within(parent, under),
        };
        let folder = match &node.parent {
            None => Some(String::new()),
            Some(parent) => self.paths.of(parent),
        };
        if let Some(folder) = folder
            && is_there
            && is_under
            && self.seen.insert(node.id.clone())
        {
            let path = format!("{folder}/{}", node.name);
            self.found.nodes.push((node, path));
        }
    }
}
