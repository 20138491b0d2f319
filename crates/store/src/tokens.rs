//! Personal access tokens.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, SessionRow, TokenRow, account_partition};
use crate::sessions::{not_signed_out, with_account};
use crate::table::{Page, Row, Table, Write};
use domain::id::{AccountId, PersonalTokenId};
use jiff::Timestamp;
use std::collections::HashMap;

/// Personal access tokens.
#[derive(Clone, Copy)]
pub struct Tokens<'a>(pub(crate) &'a Table);

impl Table {
    /// Personal access tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }
}

impl Tokens<'_> {
    /// The account and the personal access token of this id, if both are there and the token has not expired at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(
        self,
        account: &AccountId,
        token: &PersonalTokenId,
        now: Timestamp,
    ) -> Result<Option<(AccountRow, TokenRow)>, StoreError> {
        let both = with_account(self.0, account, TokenRow::key_of(account, token));
        let both: Option<(AccountRow, TokenRow)> = both.await?;
        Ok(both.filter(|(account, token)| account.deletion_started_at.is_none() && now < token.expires_at))
    }

    /// Makes a personal access token for an account, unless the session that asks for it was ended since it was read, alone or
    /// with all others.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] or [`Conflict::SessionChanged`].
    pub async fn create(
        self,
        account: &AccountRow,
        session: &SessionRow,
        token: &TokenRow,
    ) -> Result<(), StoreError> {
        self.0
            .transact(vec![
                not_signed_out(account)?,
                Write::condition_check(
                    &session.key(),
                    "attribute_exists(pk)",
                    HashMap::new(),
                    Conflict::SessionChanged,
                )?,
                Write::create(token, Conflict::AccountChanged)?,
            ])
            .await
    }

    /// One page of an account's personal access tokens, after the one with the id `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        self,
        account: &AccountId,
        after: Option<&PersonalTokenId>,
        limit: u32,
    ) -> Result<Page<TokenRow>, StoreError> {
        let after = after.map(PersonalTokenId::as_str);
        let pk = account_partition(account);
        self.0.page(&pk, TokenRow::PREFIX, after, limit).await
    }

    /// Ends a personal access token. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(self, account: &AccountId, token: &PersonalTokenId) -> Result<bool, StoreError> {
        let key = TokenRow::key_of(account, token);
        self.0.delete_existing(&key, Conflict::SessionChanged).await
    }
}
