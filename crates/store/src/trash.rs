//! What is in the trash of an account.

use crate::accounts::AccountWrites;
use crate::error::{Conflict, StoreError};
use crate::rows::{Counting, EmptiedRow, NodeRow, TrashPlace, TrashRow, account_partition};
use crate::table::{Change, Key, Page, Row, Table, Write, number};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::AccountId;
use jiff::Timestamp;
use std::collections::HashMap;

/// The trash of accounts.
#[derive(Clone, Copy)]
pub struct Trash<'a>(&'a Table);

impl Table {
    /// The trash of accounts.
    #[must_use]
    pub fn trash(&self) -> Trash<'_> {
        Trash(self)
    }
}

impl Trash<'_> {
    /// Up to `limit` things in the trash, the newest first, after the place `after`; and the place to go on after. What is being
    /// removed is not there any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest(
        self,
        account: &AccountId,
        after: Option<&TrashPlace>,
        limit: u32,
    ) -> Result<Page<TrashRow>, StoreError> {
        let pk = account_partition(account);
        let emptied = self.emptied(account).await?;
        let after = after.map(ToString::to_string);
        let mut page: Page<TrashRow> = self
            .0
            .page_back(&pk, TrashRow::PREFIX, after.as_deref(), limit)
            .await?;
        let is_gone = |row: &TrashRow| {
            emptied
                .as_ref()
                .is_some_and(|emptied| emptied.has(row.trashed_at))
        };
        // All that comes after is older.
        if page.rows.last().is_some_and(is_gone) {
            page.next = None;
        }
        page.rows.retain(|row| !row.purging && !is_gone(row));
        Ok(page)
    }

    /// Says that all that is in the trash now is to be removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn empty(self, account: &AccountId, now: Timestamp) -> Result<(), StoreError> {
        let pk = account_partition(account);
        let page: Page<TrashRow> = self.0.page_back(&pk, TrashRow::PREFIX, None, 1).await?;
        let newest = page.rows.first().map(Row::key);
        // One that cannot be read says when it came there, too.
        let newest = newest.or(page.unreadable.into_iter().next());
        let Some(newest) = newest.and_then(|key| TrashRow::moment_of(&key)) else {
            return Ok(());
        };
        let through = newest.as_millisecond();
        let row = EmptiedRow {
            account: account.clone(),
            through,
            emptied_at: now,
        };
        let further = "attribute_not_exists(pk) OR through < :through";
        let values = HashMap::from([(":through".to_owned(), AttributeValue::N(through.to_string()))]);
        let put = Write::put(&row, further, values, Conflict::NodeChanged)?;
        match self.0.transact(vec![put]).await {
            // It was emptied of that already, and maybe of more.
            Err(error) if error.is_conflict() => Ok(()),
            done => done,
        }
    }

    /// Whether a node that is in the trash is to be removed at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_going(self, node: &NodeRow) -> Result<bool, StoreError> {
        let Some(trashed_at) = node.trashed_at else {
            return Ok(false);
        };
        let emptied = self.emptied(&node.account).await?;
        if emptied.is_some_and(|emptied| emptied.has(trashed_at)) {
            return Ok(true);
        }
        let key = TrashRow::key_of(&node.account, &node.id, trashed_at);
        let row: Option<TrashRow> = self.0.get(&key).await?;
        Ok(row.is_none_or(|row| row.purging))
    }

    /// Whether the trash was emptied, and what was in it then is not all removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn emptied(self, account: &AccountId) -> Result<Option<EmptiedRow>, StoreError> {
        self.0.get(&EmptiedRow::key_of(account)).await
    }

    /// All that was in the trash when it was emptied is to be removed by itself now.
    ///
    /// # Errors
    /// [`Conflict::NodeChanged`] when it was emptied again meanwhile.
    pub async fn forget_emptied(self, row: &EmptiedRow) -> Result<(), StoreError> {
        let through = AttributeValue::N(row.through.to_string());
        let same = HashMap::from([(":through".to_owned(), through)]);
        let delete = Write::delete(&row.key(), "through = :through", same, Conflict::NodeChanged)?;
        self.0.transact(vec![delete]).await
    }

    /// Says that what has this row, and came into the trash at this moment, is to be removed at once, and does not come back. Returns
    /// whether it is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn purge(self, row: &Key, trashed_at: Timestamp) -> Result<bool, StoreError> {
        let update = "SET purging = :yes, due_shard = :due_shard, due_at = :due_at";
        let change = Change::new(row.clone(), update, "attribute_exists(pk)")
            .with(":yes", AttributeValue::Bool(true))
            .due(trashed_at);
        self.0.update_if(change).await
    }

    /// How many bytes a node has in the trash, as its row there says; of a file they are known. Nothing of what is not in the trash by
    /// itself, and of a folder that is not counted.
    ///
    /// # Errors
    /// [`StoreError`]. Nothing else of the row need be readable.
    pub async fn bytes_of(self, node: &NodeRow) -> Result<Option<u64>, StoreError> {
        match (TrashRow::key_for(node), &node.file) {
            (None, _) => Ok(None),
            (Some(_), Some(file)) => Ok(Some(file.size)),
            (Some(key), None) => {
                let item = self.0.item(&key).await?;
                Ok(item.and_then(|item| item.get("bytes")?.as_n().ok()?.parse().ok()))
            }
        }
    }

    /// Says what is in a folder that is in the trash, and not counted yet. The sweep looks at it again when its time is over. Returns
    /// whether that is written: it may be restored, counted, or to be removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_counted(self, row: &TrashRow, bytes: u64, files: u64) -> Result<bool, StoreError> {
        let update =
            "SET #bytes = :bytes, #files = :files, due_shard = :due_shard, due_at = :due_at REMOVE counting";
        let change = Change::new(row.key(), update, NOT_COUNTED)
            .with(":bytes", number(bytes))
            .with(":files", number(files))
            .due(row.expires_at);
        let mut writes = AccountWrites::from(vec![Write::update(&change, Conflict::NodeChanged)?]);
        writes.enter_trash(bytes);
        self.if_it_is_so(writes, row).await
    }

    /// Says how far a folder is counted. The next sweep goes on from there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_counting(self, row: &TrashRow, counting: &Counting) -> Result<(), StoreError> {
        let counting = serde_dynamo::to_attribute_value(counting);
        let counting = counting.map_err(|e| StoreError::internal("building a request", e))?;
        let change = Change::new(row.key(), "SET counting = :counting", NOT_COUNTED);
        self.0.update_if(change.with(":counting", counting)).await?;
        Ok(())
    }

    /// A folder is removed from now on, file by file: it cannot be restored, and what is left of it is not told as being in the trash.
    /// Returns whether it is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_removal(self, row: &TrashRow) -> Result<bool, StoreError> {
        let (key, mut there) = (row.key(), row.clone());
        loop {
            if there.purging && there.bytes.is_none() {
                return Ok(true);
            }
            let (same, values) = TrashRow::still_has(there.bytes);
            let update = "SET purging = :yes, due_shard = :due_shard, due_at = :due_at REMOVE #bytes, #files, counting";
            let mut change = Change::new(key.clone(), update, same)
                .with(":yes", AttributeValue::Bool(true))
                .due(there.trashed_at);
            for (name, value) in values {
                change = change.with(&name, value);
            }
            let mut writes = AccountWrites::from(vec![Write::update(&change, Conflict::NodeChanged)?]);
            writes.leave_trash(there.bytes.unwrap_or_default());
            if self.if_it_is_so(writes, &there).await? {
                return Ok(true);
            }
            match self.0.get::<TrashRow>(&key).await? {
                // It was counted, or another one began.
                Some(row) if row != there => there = row,
                // It is gone, or its account is.
                _ => return Ok(false),
            }
        }
    }

    /// Forgets what is not in the trash any more, if its row is there all the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget(self, row: &TrashRow) -> Result<(), StoreError> {
        let (same, values) = TrashRow::still_has(row.bytes);
        let delete = Write::delete(&row.key(), same, values, Conflict::NodeChanged)?;
        let mut writes = AccountWrites::from(vec![delete]);
        writes.leave_trash(row.bytes.unwrap_or_default());
        self.if_it_is_so(writes, row).await?;
        Ok(())
    }

    /// Writes all of it if the conditions hold. Returns whether they did.
    async fn if_it_is_so(self, writes: AccountWrites, row: &TrashRow) -> Result<bool, StoreError> {
        match self.0.transact(writes.of(&row.account)?).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What is in the trash is not counted yet, and may come back.
const NOT_COUNTED: &str =
    "attribute_exists(pk) AND attribute_not_exists(purging) AND attribute_not_exists(#bytes)";
