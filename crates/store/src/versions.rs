//! Earlier contents of files.

use crate::accounts::AccountWrites;
use crate::blobs;
use crate::error::{Conflict, StoreError};
use crate::rows::{ContentReferenceRow, VersionRow, account_partition};
use crate::table::{Change, Item, Page, Row, Rows, Table, Write, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{AccountId, BlobId, NodeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// How many versions are removed in one transaction at most: two items of each, its blob, and their account.
pub const MOST_TOGETHER: usize = 24;

/// Earlier contents of files.
#[derive(Clone, Copy)]
pub struct Versions<'a>(&'a Table);

impl Table {
    /// Earlier contents of files.
    #[must_use]
    pub fn versions(&self) -> Versions<'_> {
        Versions(self)
    }
}

impl Versions<'_> {
    /// All versions of a file that are written, the oldest first: also those that are due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_file(self, account: &AccountId, node: &NodeId) -> Result<Rows<VersionRow>, StoreError> {
        let pk = account_partition(account);
        self.0.all(&pk, &VersionRow::prefix(node)).await
    }

    /// A version of a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(
        self,
        account: &AccountId,
        node: &NodeId,
        number: u64,
    ) -> Result<Option<VersionRow>, StoreError> {
        self.0.get(&VersionRow::key_of(account, node, number)).await
    }

    /// Some versions of all files of the account, and where to go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        self,
        account: &AccountId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<VersionRow>, StoreError> {
        let pk = account_partition(account);
        self.0.page(&pk, VersionRow::PREFIX, after, limit).await
    }

    /// Removes versions of one account, [`MOST_TOGETHER`] at most: their bytes leave its quota, and their blobs lose
    /// references.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when one of them is not what was read.
    pub async fn remove(self, versions: &[VersionRow], now: Timestamp) -> Result<(), StoreError> {
        let Some(first) = versions.first() else {
            return Ok(());
        };
        let mut writes = AccountWrites::default();
        let mut blobs: BTreeMap<&BlobId, u64> = BTreeMap::new();
        for version in versions {
            writes.extend(take_out(version)?);
            writes.give(version.file.size);
            writes.leave_versions(version.file.size);
            *blobs.entry(&version.file.blob).or_default() += 1;
        }
        for (blob, references) in blobs {
            writes.push(blobs::release(blob, references, now)?);
        }
        self.0.transact(writes.of(&first.account)?).await
    }

    /// Keeps a version for good, or until then.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when it is not what was read.
    pub async fn keep(self, version: &VersionRow, until: Option<Timestamp>) -> Result<(), StoreError> {
        let (unchanged, values) = is_as_read(version);
        let update = match until {
            None => "SET #file.kept = :yes REMOVE due_shard, due_at",
            Some(_) => "SET expires_at = :until, due_shard = :due_shard, due_at = :due_at REMOVE #file.kept",
        };
        let mut change = Change::new(version.key(), update, &unchanged);
        for (name, value) in values {
            change = change.with(&name, value);
        }
        change = match until {
            None => change.with(":yes", AttributeValue::Bool(true)),
            Some(until) => change.with(":until", text(&until)).due(until),
        };
        self.0
            .transact(vec![Write::update(&change, Conflict::NodeChanged)?])
            .await
    }
}

/// The writes that take away a version and what finds it by its content. What it holds is for other writes to say.
///
/// # Errors
/// `ErrorKind::Internal` when a write is malformed. Conflict: [`Conflict::NodeChanged`] when it is not what was read.
pub fn take_out(version: &VersionRow) -> Result<[Write; 2], StoreError> {
    let conflict = Conflict::NodeChanged;
    let (unchanged, values) = is_as_read(version);
    let reference = ContentReferenceRow::key_of(&version.account, &version.node, &version.file);
    Ok([
        Write::delete(&version.key(), &unchanged, values, conflict)?,
        Write::delete(&reference, "attribute_exists(pk)", HashMap::new(), conflict)?,
    ])
}

/// A version is not there any more from this moment on. The sweep removes it.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflict: [`Conflict::NodeChanged`] when it is not what was read.
pub fn end(version: &VersionRow, now: Timestamp) -> Result<Write, StoreError> {
    let (unchanged, values) = is_as_read(version);
    let update = "SET expires_at = :now, due_shard = :due_shard, due_at = :due_at";
    let mut change = Change::new(version.key(), update, &unchanged);
    for (name, value) in values {
        change = change.with(&name, value);
    }
    Write::update(&change.with(":now", text(&now)).due(now), Conflict::NodeChanged)
}

/// The condition that a version is what was read: all else of it never changes.
fn is_as_read(version: &VersionRow) -> (String, Item) {
    let kept = if version.file.kept {
        "attribute_exists(#file.kept)"
    } else {
        "attribute_not_exists(#file.kept)"
    };
    let values = HashMap::from([(":ends".to_owned(), text(&version.expires_at))]);
    (format!("expires_at = :ends AND {kept}"), values)
}
