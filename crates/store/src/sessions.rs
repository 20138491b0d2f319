//! Sessions.
//!
//! A caller with a token is looked up in one read, of the account and of what the token names. So signing
//! out, signing out everywhere, another password and an account that is deleted count from the next request
//! on.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, AttemptsRow, SessionRow, account_partition};
use crate::table::{Change, Item, Key, Page, Row, Table, Write, bulk, number, text};
use crate::throttle::{forgotten, known};
use domain::id::{AccountId, SessionId};
use domain::session::Refreshing;
use domain::throttle::Source;
use jiff::Timestamp;
use std::collections::HashMap;

/// That the account at `key` is still there, and was not signed out everywhere since it was read.
pub(crate) fn not_signed_out(account: &AccountRow) -> Result<Write, StoreError> {
    let (condition, values) = signed_out_as_often(account);
    Write::condition_check(&account.key(), condition, values, Conflict::AccountChanged)
}

fn signed_out_as_often(account: &AccountRow) -> (&'static str, Item) {
    // One that never was lacks the number.
    let condition = if account.sign_outs == 0 {
        "attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND \
         (attribute_not_exists(sign_outs) OR sign_outs = :sign_outs)"
    } else {
        "attribute_exists(pk) AND attribute_not_exists(deletion_started_at) AND sign_outs = :sign_outs"
    };
    let values = HashMap::from([(":sign_outs".to_owned(), number(account.sign_outs))]);
    (condition, values)
}

/// Sessions.
#[derive(Clone, Copy)]
pub struct Sessions<'a>(pub(crate) &'a Table);

impl Table {
    /// Sessions.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }
}

impl Sessions<'_> {
    /// Begins a session of somebody who gave the right password, unless the account was deleted or signed out everywhere
    /// since it was read. They are known at this source from now on, and their attempts from there are forgotten.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`].
    pub async fn begin(
        self,
        account: &AccountRow,
        session: &SessionRow,
        source: &Source,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0
            .transact(vec![
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
    pub async fn get(
        self,
        account: &AccountId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<Option<(AccountRow, SessionRow)>, StoreError> {
        let key = SessionRow::key_of(account, session);
        let mut both: Option<(AccountRow, SessionRow)> = with_account(self.0, account, key.clone()).await?;
        // The two are not read at the same moment, and a new password changes both: the account may be from after it, and the
        // session that it spares from before.
        if both
            .as_ref()
            .is_some_and(|(account, session)| session.sign_outs < account.sign_outs)
        {
            both = with_account(self.0, account, key).await?;
        }
        Ok(both.filter(|(account, session)| {
            account.deletion_started_at.is_none() && session.is_active(account, now)
        }))
    }

    /// Exchanges the refresh token of a session: it has what `then` says, if it still has what was read.
    ///
    /// # Errors
    /// [`Conflict::SessionChanged`].
    pub async fn refresh(self, session: &SessionRow, then: &Refreshing) -> Result<(), StoreError> {
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
        self.0.transact(vec![write]).await
    }

    /// One page of an account's sessions, after the one with the id `after`. Some may be over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        self,
        account: &AccountId,
        after: Option<&SessionId>,
        limit: u32,
    ) -> Result<Page<SessionRow>, StoreError> {
        let after = after.map(SessionId::as_str);
        let pk = account_partition(account);
        self.0.page(&pk, SessionRow::PREFIX, after, limit).await
    }

    /// Ends a session. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke(self, account: &AccountId, session: &SessionId) -> Result<bool, StoreError> {
        let key = SessionRow::key_of(account, session);
        self.0.delete_existing(&key, Conflict::SessionChanged).await
    }

    /// Ends a session. One that is not there is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end(self, account: &AccountId, session: &SessionId) -> Result<(), StoreError> {
        self.0.delete_all(&[SessionRow::key_of(account, session)]).await
    }

    /// Ends all sessions of an account at once. Their rows go by themselves, in time.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] when the account is gone.
    pub async fn end_all(self, account: &AccountId) -> Result<(), StoreError> {
        let change = Change::new(
            AccountRow::key_of(account),
            "ADD sign_outs :one",
            "attribute_exists(pk)",
        );
        self.0
            .update(change.with(":one", number(1)), Conflict::AccountChanged)
            .await
    }

    /// Gives an account another password, and ends all its sessions but the one that asked for it. Nothing happens when
    /// the password is not the one that was read any more, or the session is over.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`] or [`Conflict::SessionChanged`].
    pub async fn change_password(
        self,
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
        self.0
            .transact(vec![
                Write::update(&change, Conflict::AccountChanged)?,
                Write::update(&kept, Conflict::SessionChanged)?,
            ])
            .await
    }
}

/// An account with another row of its partition, if both are there.
pub(crate) async fn with_account<R: Row>(
    table: &Table,
    account: &AccountId,
    other: Key,
) -> Result<Option<(AccountRow, R)>, StoreError> {
    let account = AccountRow::key_of(account);
    let items = table.batch_get([account.clone(), other.clone()], None).await?;
    let (mut row, mut rest) = (None, None);
    for item in items {
        match bulk::key_of(&item) {
            Some(key) if key == account => row = Some(bulk::read(item)?),
            // A session or token that cannot be read is over.
            Some(key) if key == other => rest = table.or_leave_out(bulk::read(item))?,
            _ => {}
        }
    }
    Ok(row.zip(rest))
}
