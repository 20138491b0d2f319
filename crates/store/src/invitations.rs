//! Invitations: codes that are good once.
//!
//! A code is looked up before anything else is, so a caller without one learns nothing. That it is still good
//! is a condition of the transaction that does what it is for: of many who use it at once one succeeds.

use crate::error::{Conflict, StoreError};
use crate::rows::{AccountRow, AttemptsRow, InvitationRow, Owner};
use crate::table::{Change, Page, Row, Table, Write, number, text};
use crate::throttle::{forgotten, known_at};
use domain::id::InvitationId;
use domain::invitation::Code;
use domain::throttle::Source;
use jiff::Timestamp;
use std::collections::HashMap;

/// That it is there and was not used.
const UNUSED: &str = "attribute_exists(pk) AND attribute_not_exists(used_at)";

/// Invitations.
#[derive(Clone, Copy)]
pub struct Invitations<'a>(pub(crate) &'a Table);

impl Table {
    /// Invitations.
    #[must_use]
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(self)
    }
}

impl Invitations<'_> {
    /// Writes an invitation down.
    ///
    /// # Errors
    /// [`Conflict::InvitationGone`] when its code was given out before, which chance does not let happen.
    pub async fn create(self, invitation: &InvitationRow) -> Result<(), StoreError> {
        self.0
            .transact(vec![Write::create(invitation, Conflict::InvitationGone)?])
            .await
    }

    /// The invitation with this code, if it can be used at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_code(self, code: &Code, now: Timestamp) -> Result<Option<InvitationRow>, StoreError> {
        let row = self.get(&code.id()).await?;
        Ok(row.filter(|row| row.is_good(now)))
    }

    /// The invitation with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, id: &InvitationId) -> Result<Option<InvitationRow>, StoreError> {
        self.0.get(&InvitationRow::key_of(id)).await
    }

    /// One page of the invitations, after the one with the id `after`. Those that were used are among them until they would
    /// have ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(
        self,
        after: Option<&InvitationId>,
        limit: u32,
    ) -> Result<Page<InvitationRow>, StoreError> {
        let after = after.map(InvitationId::as_str);
        let (pk, prefix) = (InvitationRow::PARTITION, InvitationRow::PREFIX);
        self.0.page(pk, prefix, after, limit).await
    }

    /// Takes an invitation back that nobody has used.
    ///
    /// # Errors
    /// [`Conflict::InvitationGone`].
    pub async fn revoke(self, id: &InvitationId) -> Result<(), StoreError> {
        let key = InvitationRow::key_of(id);
        let delete = Write::delete(&key, UNUSED, HashMap::new(), Conflict::InvitationGone)?;
        self.0.transact(vec![delete]).await
    }

    /// Sets the password of an account by an invitation that is for that, and ends all its sessions. Its owner is known at this
    /// source from now on, and their attempts from there are forgotten.
    ///
    /// # Errors
    /// [`Conflict::InvitationGone`] when it was used meanwhile, or has ended, or the account is gone.
    pub async fn reset_password(
        self,
        invitation: &InvitationRow,
        owner: &Owner,
        password_hash: &str,
        source: &Source,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(
            AccountRow::key_of(&owner.account),
            "SET password_hash = :new ADD sign_outs :one",
            "attribute_exists(pk) AND attribute_not_exists(deletion_started_at)",
        );
        let change = change.with(":new", text(password_hash)).with(":one", number(1));
        self.0
            .transact(vec![
                used(invitation, None, now)?,
                Write::update(&change, Conflict::InvitationGone)?,
                known_at(&owner.account, source, now)?,
                forgotten(AttemptsRow::of_sign_in(&owner.username, source), now)?,
            ])
            .await
    }
}

/// The write that uses an invitation, for an account that is made by it or without one. When the table deletes what has ended
/// does not matter.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflict: [`Conflict::InvitationGone`].
pub(crate) fn used(
    invitation: &InvitationRow,
    account: Option<&AccountRow>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let update = match account {
        Some(_) => "SET used_at = :used_at, used_by = :used_by",
        None => "SET used_at = :used_at",
    };
    let mut change = Change::new(invitation.key(), update, &format!("{UNUSED} AND #ttl > :now"))
        .with(":used_at", text(&now))
        .with(":now", number(now.as_second().try_into().unwrap_or_default()));
    if let Some(account) = account {
        change = change.with(":used_by", text(&account.username));
    }
    Write::update(&change, Conflict::InvitationGone)
}
