//! Accounts and their quota.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, UsernameRow};
use crate::table::{Change, Table, Write, number};
use domain::account::Username;
use domain::id::AccountId;

impl Table {
    /// Writes a new account and its username, or neither.
    ///
    /// # Errors
    /// [`Conflict::UsernameTaken`].
    pub async fn create_account(&self, account: &AccountRow) -> Result<(), StoreError> {
        let username = UsernameRow {
            username: account.username.clone(),
            account: account.id.clone(),
        };
        self.transact(vec![
            Write::create(&username, Conflict::UsernameTaken)?,
            Write::create(account, Conflict::UsernameTaken)?,
        ])
        .await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.get(&AccountRow::key_of(id)).await
    }

    /// The account with this username.
    ///
    /// # Errors
    /// [`StoreError::Remote`] or [`StoreError::Corrupt`].
    pub async fn account_by_username(&self, username: &Username) -> Result<Option<AccountRow>, StoreError> {
        match self.get::<UsernameRow>(&UsernameRow::key_of(username)).await? {
            Some(row) => self.account(&row.account).await,
            None => Ok(None),
        }
    }
}

/// Takes `size` bytes of the account's quota, if it has them.
///
/// # Errors
/// [`StoreError::Corrupt`] when the write is malformed.
pub fn reserve(account: &AccountId, size: u64) -> Result<Write, StoreError> {
    let change = Change::new(
        AccountRow::key_of(account),
        "SET free_bytes = free_bytes - :size",
        "free_bytes >= :size",
    );
    Write::update(&change.with(":size", number(size)), Conflict::QuotaExceeded)
}

/// Gives `size` bytes back to the account's quota.
///
/// # Errors
/// [`StoreError::Corrupt`] when the write is malformed.
pub fn give_back(account: &AccountId, size: u64) -> Result<Write, StoreError> {
    let change = Change::new(
        AccountRow::key_of(account),
        "SET free_bytes = free_bytes + :size",
        "attribute_exists(pk)",
    );
    Write::update(&change.with(":size", number(size)), Conflict::NodeChanged)
}
