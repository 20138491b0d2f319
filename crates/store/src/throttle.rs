//! How often somebody may try: allowances by the hour, and attempts at passwords.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, Allowance, AttemptsRow, KnownSourceRow, UsernameRow};
use crate::table::{Change, Key, Table, Write, bulk, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::Username;
use domain::id::AccountId;
use domain::throttle::{Attempts, SOURCE_KNOWN, Source, hour_of};
use domain::time::saturating_add;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How often it is tried to count an attempt while others are counted.
const TRIES: u32 = 8;

/// Somebody who wants to sign in, as far as the table knows them.
pub struct Visitor {
    /// The account, if there is one of this name.
    pub account: Option<AccountRow>,
    /// Whether they signed in to it from there before.
    pub is_known: bool,
}

/// Allowances and attempts.
#[derive(Clone, Copy)]
pub struct Throttle<'a>(pub(crate) &'a Table);

impl Table {
    /// Allowances and attempts.
    #[must_use]
    pub fn throttle(&self) -> Throttle<'_> {
        Throttle(self)
    }
}

impl Throttle<'_> {
    /// Takes `cost` of an allowance of this hour, if that leaves it within `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spend(
        self,
        allowance: &Allowance<'_>,
        cost: u64,
        limit: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(most) = limit.checked_sub(cost) else {
            return Ok(false);
        };
        let hour = hour_of(now);
        let forget_at = (hour + 2) * 3600;
        let change = Change::new(
            allowance.key(hour),
            "SET spent = if_not_exists(spent, :none) + :cost, #ttl = :ttl",
            "attribute_not_exists(spent) OR spent <= :most",
        );
        let change = change
            .with(":none", number(0))
            .with(":cost", number(cost))
            .with(":ttl", AttributeValue::N(forget_at.to_string()))
            .with(":most", number(most));
        self.0.update_if(change).await
    }

    /// Counts an attempt at a password, before anybody looks at it. Returns how long to wait, if it comes too
    /// early.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_attempt(
        self,
        key: &Key,
        now: Timestamp,
    ) -> Result<Result<(), SignedDuration>, StoreError> {
        for _ in 0..TRIES {
            let before = self.0.or_leave_out(self.0.get::<AttemptsRow>(key).await)?;
            let readable = before.is_some();
            let before = before.flatten();
            let attempts = before.as_ref().map(|row| &row.attempts);
            let row = match Attempts::one_more(attempts, now) {
                Ok(attempts) => AttemptsRow {
                    pk: key.pk.clone(),
                    sk: key.sk.clone(),
                    attempts,
                },
                Err(wait) => return Ok(Err(wait)),
            };
            let write = match attempts {
                // In the place of what cannot be read, which would keep somebody out for ever.
                None if !readable => Write::put_unconditional(&row, Conflict::SessionChanged)?,
                None => Write::create(&row, Conflict::SessionChanged)?,
                Some(before) => Write::put(
                    &row,
                    "#count = :count AND last_at = :last_at",
                    HashMap::from([
                        (":count".to_owned(), number(before.count.into())),
                        (":last_at".to_owned(), text(&before.last_at)),
                    ]),
                    Conflict::SessionChanged,
                )?,
            };
            match self.0.transact(vec![write]).await {
                Err(error) if error.is_conflict() => {}
                written => return written.map(Ok),
            }
        }
        // As many at once as that are not somebody who mistypes.
        Ok(Err(SignedDuration::from_secs(1)))
    }

    /// Forgets attempts: the last one was right.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_attempts(self, key: Key, now: Timestamp) -> Result<(), StoreError> {
        self.0.transact(vec![forgotten(key, now)?]).await
    }

    /// Who wants to sign in with this name from this source. It takes as long when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visitor(
        self,
        username: &Username,
        source: &Source,
        now: Timestamp,
    ) -> Result<Visitor, StoreError> {
        let username: Option<UsernameRow> = self.0.get(&UsernameRow::key_of(username)).await?;
        let id: AccountId = username.map_or_else(|| self.0.rng.id(), |row| row.account);
        let account = AccountRow::key_of(&id);
        let known = KnownSourceRow::key_of(&id, source);
        let mut visitor = Visitor {
            account: None,
            is_known: false,
        };
        for item in self.0.batch_get([account.clone(), known.clone()], None).await? {
            match bulk::key_of(&item) {
                Some(key) if key == account => visitor.account = Some(bulk::read(item)?),
                Some(key) if key == known => {
                    let row: Option<KnownSourceRow> = self.0.or_leave_out(bulk::read(item))?;
                    visitor.is_known = row.is_some_and(|row| now < row.expires_at);
                }
                _ => {}
            }
        }
        Ok(visitor)
    }
}

/// The write that lets the owner of an account be known at a source.
pub(crate) fn known(account: &AccountRow, source: &Source, now: Timestamp) -> Result<Write, StoreError> {
    known_at(&account.id, source, now)
}

/// The same of the account with this id.
pub(crate) fn known_at(account: &AccountId, source: &Source, now: Timestamp) -> Result<Write, StoreError> {
    let row = KnownSourceRow {
        account: account.clone(),
        source: source.to_string(),
        expires_at: saturating_add(now, SOURCE_KNOWN),
    };
    Write::put_unconditional(&row, Conflict::AccountChanged)
}

/// The write that forgets attempts.
pub(crate) fn forgotten(key: Key, now: Timestamp) -> Result<Write, StoreError> {
    let attempts = Attempts {
        count: 0,
        last_at: now,
    };
    let Key { pk, sk } = key;
    Write::put_unconditional(&AttemptsRow { pk, sk, attempts }, Conflict::SessionChanged)
}
