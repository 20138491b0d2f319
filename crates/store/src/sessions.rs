//! Sessions and personal access tokens.
//!
//! Whoever comes with a token is looked up in one read, of his account and of what the token names. So signing out, signing
//! out everywhere, another password and an account that is deleted count from the next request on.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, AttemptsRow, SessionRow, TokenRow, account_partition};
use crate::table::{Change, Item, Key, Page, Row, Table, Write, bulk, number, text};
use crate::throttle::{forgotten, known};
use domain::id::{AccountId, PersonalTokenId, SessionId};
use domain::session::Refreshing;
use domain::throttle::Source;
use jiff::Timestamp;
use std::collections::HashMap;

/// That the account at `key` is still there, and was not signed out everywhere since it was read.
fn not_signed_out(account: &AccountRow) -> Result<Write, StoreError> {
    let (condition, values) = signed_out_as_often(account);
    Write::holds(&account.key(), condition, values, Conflict::AccountChanged)
}

fn signed_out_as_often(account: &AccountRow) -> (&'static str, Item) {
    // One that never was lacks the number.
    let condition = if account.sign_outs == 0 {
        "attribute_exists(pk) AND attribute_not_exists(closing_since) AND \
         (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)"
    } else {
        "attribute_exists(pk) AND attribute_not_exists(closing_since) AND sign_outs = :sign_outs"
    };
    let values = HashMap::from([(":sign_outs".to_owned(), number(account.sign_outs))]);
    (condition, values)
}

impl Table {
    /// Begins a session of somebody who gave the right password, unless the account was deleted or signed out everywhere
    /// since it was read. He is known at this source from now on, and his attempts from there are forgotten.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`].
    pub async fn begin_session(
        &self,
        account: &AccountRow,
        session: &SessionRow,
        source: &Source,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(vec![
            not_signed_out(account)?,
            Write::create(session, Conflict::AccountChanged)?,
            known(account, source, now)?,
            forgotten(AttemptsRow::of_sign_in(&account.username, source), now)?,
        ])
        .await
    }

    /// The account and the session that an access token or a refresh token names, if both are there and the session is not
    /// over at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(
        &self,
        account: &AccountId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<Option<(AccountRow, SessionRow)>, StoreError> {
        let key = SessionRow::key_of(account, session);
        let mut both: Option<(AccountRow, SessionRow)> = self.with_account(account, key.clone()).await?;
        // The two are not read at the same moment, and a new password changes both: the account may be from after it, and the
        // session that it spares from before.
        if both
            .as_ref()
            .is_some_and(|(account, session)| session.sign_outs < account.sign_outs)
        {
            both = self.with_account(account, key).await?;
        }
        Ok(both.filter(|(account, session)| {
            account.closing_since.is_none()
                // More it has by a new password only, which the account was read before.
                && session.sign_outs >= account.sign_outs
                && now < session.refreshing.ends_at()
        }))
    }

    /// The account and the personal access token of this id, if both are there and the token has not expired at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn personal_token(
        &self,
        account: &AccountId,
        token: &PersonalTokenId,
        now: Timestamp,
    ) -> Result<Option<(AccountRow, TokenRow)>, StoreError> {
        let both = self.with_account(account, TokenRow::key_of(account, token));
        let both: Option<(AccountRow, TokenRow)> = both.await?;
        Ok(both.filter(|(account, token)| account.closing_since.is_none() && now < token.expires_at))
    }

    /// An account with another row of its partition, if both are there.
    async fn with_account<R: Row>(
        &self,
        account: &AccountId,
        other: Key,
    ) -> Result<Option<(AccountRow, R)>, StoreError> {
        let account = AccountRow::key_of(account);
        let items = self.batch_get([account.clone(), other.clone()], None).await?;
        let (mut row, mut rest) = (None, None);
        for item in items {
            match bulk::key_of(&item) {
                Some(key) if key == account => row = Some(bulk::read(item)?),
                // A session or token that cannot be read is over.
                Some(key) if key == other => rest = self.or_leave_out(bulk::read(item))?,
                _ => {}
            }
        }
        Ok(row.zip(rest))
    }

    /// Exchanges the refresh token of a session: it has what `then` says, if it still has what was read.
    ///
    /// # Errors
    /// [`Conflict::SessionChanged`].
    pub async fn refresh_session(&self, session: &SessionRow, then: &Refreshing) -> Result<(), StoreError> {
        let row = SessionRow {
            refreshing: then.clone(),
            ..session.clone()
        };
        let values = HashMap::from([
            (":current".to_owned(), text(session.refreshing.current.as_str())),
            (":sign_outs".to_owned(), number(session.sign_outs)),
        ]);
        // A new password has spared the session, perhaps since it was read.
        let same = "#current = :current AND sign_outs = :sign_outs";
        let write = Write::put(&row, same, values, Conflict::SessionChanged)?;
        self.transact(vec![write]).await
    }

    /// Ends a session. One that is not there is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, account: &AccountId, session: &SessionId) -> Result<(), StoreError> {
        self.delete_all(&[SessionRow::key_of(account, session)]).await
    }

    /// Ends all sessions of an account at once. Their rows go by themselves, in time.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] when the account is gone.
    pub async fn sign_out_everywhere(&self, account: &AccountId) -> Result<(), StoreError> {
        let change = Change::new(
            AccountRow::key_of(account),
            "ADD sign_outs :one",
            "attribute_exists(pk)",
        );
        self.change(change.with(":one", number(1)), Conflict::AccountChanged)
            .await
    }

    /// Gives an account another password, and ends all its sessions but the one that asked for it. Nothing happens when
    /// the password is not the one that was read any more, or the session is over.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] or [`Conflict::SessionChanged`].
    pub async fn change_password(
        &self,
        account: &AccountRow,
        session: &SessionRow,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        let (same, values) = signed_out_as_often(account);
        let mut change = Change::new(
            account.key(),
            "SET password_hash = :new ADD sign_outs :one",
            &format!("password_hash = :old AND {same}"),
        )
        .with(":new", text(password_hash))
        .with(":old", text(&account.password_hash))
        .with(":one", number(1));
        for (placeholder, value) in values {
            change = change.with(&placeholder, value);
        }
        let kept = Change::new(session.key(), "SET sign_outs = :more", "attribute_exists(pk)")
            .with(":more", number(account.sign_outs + 1));
        self.transact(vec![
            Write::update(&change, Conflict::AccountChanged)?,
            Write::update(&kept, Conflict::SessionChanged)?,
        ])
        .await
    }

    /// Makes a personal access token for an account, unless the session that asks for it was ended since it was read, alone or
    /// with all others.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] or [`Conflict::SessionChanged`].
    pub async fn create_token(
        &self,
        account: &AccountRow,
        session: &SessionRow,
        token: &TokenRow,
    ) -> Result<(), StoreError> {
        self.transact(vec![
            not_signed_out(account)?,
            Write::holds(
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
    pub async fn tokens(
        &self,
        account: &AccountId,
        after: Option<&PersonalTokenId>,
        limit: u32,
    ) -> Result<Page<TokenRow>, StoreError> {
        let after = after.map(|id| TokenRow::key_of(account, id).sk);
        let pk = account_partition(account);
        let page = self.page(&pk, TokenRow::PREFIX, after.as_deref(), limit).await?;
        Ok(page.below(TokenRow::PREFIX))
    }

    /// Ends a personal access token. Gives whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_token(
        &self,
        account: &AccountId,
        token: &PersonalTokenId,
    ) -> Result<bool, StoreError> {
        let key = TokenRow::key_of(account, token);
        let write = Write::delete(
            &key,
            "attribute_exists(pk)",
            HashMap::new(),
            Conflict::SessionChanged,
        )?;
        match self.transact(vec![write]).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
