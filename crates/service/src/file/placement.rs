//! Files and folders come into a tree, whatever has their name already.
//!
//! What to do about a taken name is [`domain::placement::place`]; that the name is still free, or still the same file's, is a
//! condition of the transaction. When it does not hold any more, this looks again.

use super::writes::FilePlacement;
use domain::id::{AccountId, NodeId};
use domain::name::Name;
use domain::placement::{
    OnConflict, Placement, free_numbers, is_numbered, numbered, place, stem_of_numbered,
};
use domain::versions::VersionPolicy;
use jiff::{SignedDuration, Timestamp};
use store::rows::{EntryRow, NodeRow, VersionRow, account_partition};
use store::table::{Key, Page};
use store::uploads::TransitionError;
use store::{Conflict, ErrorKind, StoreError, Table};

/// How often, and how long, a place is looked for that others take first. An attempt may take some seconds, and nobody gets an
/// answer after 29: API Gateway's limit.
const PLACEMENT_ATTEMPTS: u64 = 40;
const LONGEST_SEARCH: SignedDuration = SignedDuration::from_secs(15);

/// How many numbered forms of a name are read at most to find one that is free.
const NUMBERED: u32 = 1000;

/// A node looking for its place: a new one, or one that is there and goes somewhere else.
pub struct PlaceSearch {
    wanted: NodeRow,
    on_conflict: OnConflict,
    attempt: u64,
    /// When it is given up.
    until: Option<Timestamp>,
    /// What becomes of the content of a file that gets this one's. Without it such a file itself gives way.
    policy: Option<VersionPolicy>,
    /// The versions of that file.
    versions: Vec<VersionRow>,
    /// The node with the name by which it is to be written next.
    pub node: NodeRow,
    /// The file that has that name, if it is to be replaced.
    pub loser: Option<NodeRow>,
}

impl PlaceSearch {
    /// Mostly the name is free: that is tried first, and costs no look.
    #[must_use]
    pub fn new(node: NodeRow, on_conflict: OnConflict) -> Self {
        Self {
            wanted: node.clone(),
            on_conflict,
            attempt: 0,
            until: None,
            policy: None,
            versions: Vec::new(),
            node,
            loser: None,
        }
    }

    /// The file whose name it takes stays, with this one's content, and keeps versions of its own.
    #[must_use]
    pub fn keeping(self, policy: VersionPolicy) -> Self {
        Self {
            policy: Some(policy),
            ..self
        }
    }

    /// Whether a node that is there may as well stay where it is: the name is taken, and it has it with a number already.
    #[must_use]
    pub fn keeps(&self, there: &NodeRow) -> bool {
        let wanted = &self.wanted;
        let is_taken = self.node.name != wanted.name;
        is_taken && there.parent == wanted.parent && is_numbered(&there.name, &wanted.name)
    }

    /// What a new node is to be written as next.
    #[must_use]
    pub fn placement(&self) -> FilePlacement {
        match self.loser.clone().zip(self.policy) {
            Some((there, policy)) => {
                let (content, now) = (self.node.file.clone(), self.node.updated_at);
                FilePlacement::in_place_of(there, content, &self.versions, policy, now)
            }
            None => FilePlacement::of_new(self.node.clone()),
        }
    }

    /// Looks for another place, when the transaction that was to write it failed because this one is taken.
    ///
    /// # Errors
    /// [`Conflict::NameTaken`] when there is none; `error` itself when it has nothing to do with the place.
    pub async fn again(&mut self, table: &Table, error: TransitionError) -> Result<(), TransitionError> {
        let taken = matches!(
            error,
            TransitionError::Store(StoreError {
                kind: ErrorKind::Conflict(
                    Conflict::NameTaken | Conflict::NodeChanged | Conflict::FoldersChanged
                ),
                ..
            })
        );
        let until = *self.until.get_or_insert_with(|| table.from_now(LONGEST_SEARCH));
        if !taken || self.attempt == PLACEMENT_ATTEMPTS || table.now() > until {
            return Err(error);
        }
        self.attempt += 1;
        self.look(table).await?;
        Ok(())
    }

    async fn look(&mut self, table: &Table) -> Result<(), StoreError> {
        let NodeRow {
            account,
            parent,
            name,
            ..
        } = &self.wanted;
        let there = table.tree().taken(account, parent.as_ref(), name).await?;
        let (taken, there) = there.unzip();
        self.node.name = name.clone();
        self.loser = None;
        match place(self.on_conflict, taken) {
            Placement::Insert => {}
            Placement::Replace => {
                self.loser = there.flatten();
                let content = self
                    .loser
                    .as_ref()
                    .and_then(|loser| Some((&loser.id, loser.file.as_ref()?)));
                self.versions =
                    match content.filter(|(_, file)| self.policy.is_some() && file.may_have_versions()) {
                        Some((id, _)) => table.versions().of_file(account, id).await?.rows,
                        None => Vec::new(),
                    };
            }
            Placement::Rename => {
                let (names, all) = names_numbered(table, account, parent.as_ref(), name).await?;
                let free = free_numbers(name, &names, all, self.attempt);
                // Where many look at once, each takes another one.
                self.node.name = numbered(name, table.rng.within(free));
            }
            Placement::Refuse => return Err(Conflict::NameTaken.into()),
        }
        Ok(())
    }
}

/// Expects the folder of a node to be in the tree, and not within one that is in the trash.
///
/// # Errors
/// [`Conflict::ParentGone`].
pub async fn expect_in_tree(table: &Table, node: &NodeRow) -> Result<(), StoreError> {
    let parent = node.parent.as_ref();
    let is_there = table.folders().is_in_tree(&node.account, parent).await?;
    is_there.then_some(()).ok_or(Conflict::ParentGone.into())
}

/// Names in a folder that may be numbered forms of `name`, and whether these are all.
async fn names_numbered(
    table: &Table,
    account: &AccountId,
    parent: Option<&NodeId>,
    name: &Name,
) -> Result<(Vec<Name>, bool), StoreError> {
    let folder = EntryRow::prefix(parent);
    let prefix = format!("{folder}{}", stem_of_numbered(name));
    let page: Page<EntryRow> = table
        .page(&account_partition(account), &prefix, None, NUMBERED)
        .await?;
    let mut names: Vec<Name> = page.rows.into_iter().map(|entry| entry.name).collect();
    // What cannot be read has its name in its key.
    let name = |key: &Key| key.sk.strip_prefix(&folder)?.parse().ok();
    names.extend(page.unreadable.iter().filter_map(name));
    Ok((names, page.next.is_none()))
}
