//! The same request again gets the same answer: what a request with an `Idempotency-Key` answered is written down in the
//! transaction that does what it asked for, so that either both are there or neither.

use crate::error::{Conflict, StoreError};
use crate::rows::KeyRow;
use crate::table::{Table, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::AccountId;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How long an answer is remembered.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(24);

/// The write that remembers an answer.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflict: [`Conflict::KeyUsed`].
pub fn remember(row: &KeyRow, now: Timestamp) -> Result<Write, StoreError> {
    // The table deletes what has expired when it has the time.
    let seconds = AttributeValue::N(now.as_second().to_string());
    let values = HashMap::from([(":now".to_owned(), seconds)]);
    Write::put(
        row,
        "attribute_not_exists(pk) OR #ttl <= :now",
        values,
        Conflict::KeyUsed,
    )
}

/// Answers that are remembered.
#[derive(Clone, Copy)]
pub struct IdempotencyKeys<'a>(pub(crate) &'a Table);

impl Table {
    /// Answers that are remembered.
    #[must_use]
    pub fn idempotency_keys(&self) -> IdempotencyKeys<'_> {
        IdempotencyKeys(self)
    }
}

impl IdempotencyKeys<'_> {
    /// What was answered to a key, if that is remembered at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(
        self,
        account: &AccountId,
        key_hash: &str,
        now: Timestamp,
    ) -> Result<Option<KeyRow>, StoreError> {
        let row: Option<KeyRow> = self.0.get(&KeyRow::key_of(account, key_hash)).await?;
        Ok(row.filter(|row| row.expires_at.as_second() > now.as_second()))
    }
}
