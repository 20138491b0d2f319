//! Accounts and their quota.

use crate::error::{Conflict, StoreError};
use crate::invitations::used;
use crate::rows::{AccountRow, InvitationRow, UsernameRow};
use crate::table::{Change, Row, Table, Write, number, text};
use crate::throttle::known;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::{QuotaEvent, Role, Username};
use domain::id::AccountId;
use domain::throttle::Source;
use jiff::Timestamp;
use std::collections::HashMap;

/// How often a change of a quota is tried that collides with another one.
const ACCOUNT_ATTEMPTS: u32 = 5;

/// Accounts and their usernames.
#[derive(Clone, Copy)]
pub struct Accounts<'a>(pub(crate) &'a Table);

impl Table {
    /// Accounts and their usernames.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts(self)
    }
}

impl Accounts<'_> {
    /// Writes a new account and its username, or neither, and uses the invitation that it is made by, if there is one. Its
    /// owner is known at this source from now on.
    ///
    /// # Errors
    /// [`Conflict::InvitationGone`] before [`Conflict::UsernameTaken`]: without an invitation nobody
    /// learns which names there are.
    pub async fn create(
        self,
        account: &AccountRow,
        source: &Source,
        invitation: Option<&InvitationRow>,
    ) -> Result<(), StoreError> {
        let username = UsernameRow {
            username: account.username.clone(),
            account: account.id.clone(),
        };
        let invitation = invitation.map(|invitation| used(invitation, Some(account), account.created_at));
        let mut writes: Vec<Write> = invitation.into_iter().collect::<Result<_, _>>()?;
        writes.extend([
            Write::create(&username, Conflict::UsernameTaken)?,
            Write::create(account, Conflict::UsernameTaken)?,
            known(account, source, account.created_at)?,
        ]);
        self.0.transact(writes).await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.0.get(&AccountRow::key_of(id)).await
    }

    /// The account with this username.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_username(self, username: &Username) -> Result<Option<AccountRow>, StoreError> {
        match self.0.get::<UsernameRow>(&UsernameRow::key_of(username)).await? {
            Some(row) => self.get(&row.account).await,
            None => Ok(None),
        }
    }

    /// Lets an account use `limit` bytes from now on, whatever it uses: nothing is lost when that is more, but nothing new
    /// goes in. Returns the account as it is then; `None` when there is no such account.
    ///
    /// # Errors
    /// [`Conflict::QuotaExceeded`] for a limit above [`MAX_QUOTA`](domain::account::MAX_QUOTA),
    /// [`Conflict::AccountChanged`] when the quota is being changed by many at once.
    pub async fn set_quota(self, username: &Username, limit: u64) -> Result<Option<AccountRow>, StoreError> {
        for _ in 0..ACCOUNT_ATTEMPTS {
            let Some(account) = self.by_username(username).await? else {
                return Ok(None);
            };
            account
                .quota()
                .step(QuotaEvent::Limit(limit))
                .map_err(|_| Conflict::QuotaExceeded)?;
            let more = i128::from(limit) - i128::from(account.quota_bytes);
            let change = Change::new(
                account.key(),
                "SET quota_bytes = :limit, free_bytes = free_bytes + :more",
                "quota_bytes = :was",
            );
            let change = change
                .with(":limit", number(limit))
                .with(":more", AttributeValue::N(more.to_string()))
                .with(":was", number(account.quota_bytes));
            match self.0.update(change, Conflict::AccountChanged).await {
                // Others may have changed what is free meanwhile: what is written counts.
                Ok(()) => return self.get(&account.id).await,
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Conflict::AccountChanged.into())
    }

    /// Gives an account another role. Returns the account as it is then; `None` when there is no such
    /// account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_role(self, username: &Username, role: Role) -> Result<Option<AccountRow>, StoreError> {
        let Some(account) = self.by_username(username).await? else {
            return Ok(None);
        };
        let name = match role {
            Role::User => "user",
            Role::Operator => "operator",
        };
        let change = Change::new(account.key(), "SET #role = :role", "attribute_exists(pk)");
        self.0
            .update(change.with(":role", text(name)), Conflict::AccountChanged)
            .await?;
        self.get(&account.id).await
    }

    /// Closes an account, unless its password is another one than was read: its name is free, its sessions and tokens are
    /// over, and the sweep removes what it has.
    ///
    /// # Errors
    /// [`Conflict::AccountChanged`].
    pub async fn begin_deletion(self, account: &AccountRow, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::new(
            account.key(),
            "SET deletion_started_at = :now, due_shard = :due_shard, due_at = :due_at",
            "password_hash = :hash AND attribute_not_exists(deletion_started_at)",
        );
        let change = change
            .with(":now", text(&now))
            .with(":hash", text(&account.password_hash))
            .due(now);
        let mine = HashMap::from([(":account".to_owned(), text(&account.id))]);
        let username = UsernameRow::key_of(&account.username);
        self.0
            .transact(vec![
                Write::update(&change, Conflict::AccountChanged)?,
                Write::delete(&username, "account = :account", mine, Conflict::AccountChanged)?,
            ])
            .await
    }
}

/// The write that [`Quota::step`](domain::account::Quota::step) makes of an event, without reading first: whether there
/// is room is decided by its condition.
///
/// # Errors
/// `ErrorKind::Internal` when the write is malformed. Conflicts: [`Conflict::QuotaExceeded`] when bytes are taken that
/// are not there, [`Conflict::NodeChanged`] when bytes are given to an account that is gone.
pub fn quota(account: &AccountId, event: QuotaEvent) -> Result<Write, StoreError> {
    quota_by_kind(account, event, Kinds::default())
}

/// How many bytes more, or less, an account has of some kinds. They are part of what is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// In earlier versions of files.
    pub versions: i64,
    /// In the trash.
    pub trash: i64,
}

/// As [`quota`], with what changes its kind.
///
/// # Errors
/// Those of [`quota`].
pub fn quota_by_kind(account: &AccountId, event: QuotaEvent, kinds: Kinds) -> Result<Write, StoreError> {
    let (sign, bytes) = match event {
        QuotaEvent::Take { take, give } if take > give => ('-', take - give),
        QuotaEvent::Take { take, give } => ('+', give - take),
        QuotaEvent::Give(bytes) => ('+', bytes),
        QuotaEvent::Limit(_) => {
            return Err(StoreError::internal(
                "changing a quota",
                "a limit is set by `set_quota`, which reads the old one",
            ));
        }
    };
    let (condition, conflict) = match sign {
        '-' => ("free_bytes >= :bytes", Conflict::QuotaExceeded),
        _ => ("attribute_exists(pk)", Conflict::NodeChanged),
    };
    let of_kinds = [
        ("version_bytes", ":versions", kinds.versions),
        ("trash_bytes", ":trash", kinds.trash),
    ];
    let of_kinds: Vec<_> = of_kinds.into_iter().filter(|(_, _, more)| *more != 0).collect();
    let terms: Vec<_> = of_kinds
        .iter()
        .map(|(attribute, value, _)| format!("{attribute} {value}"))
        .collect();
    let mut update = format!("SET free_bytes = free_bytes {sign} :bytes");
    if !terms.is_empty() {
        update = format!("{update} ADD {}", terms.join(", "));
    }
    let mut change =
        Change::new(AccountRow::key_of(account), &update, condition).with(":bytes", number(bytes));
    for (_, value, more) in of_kinds {
        change = change.with(value, AttributeValue::N(more.to_string()));
    }
    Write::update(&change, conflict)
}

/// Writes of one transaction, and what they change of what their account uses. That is one write, whatever they are: no item may be
/// written twice.
#[derive(Default)]
pub struct AccountWrites {
    writes: Vec<Write>,
    /// Bytes that the account does not use any more.
    give: u64,
    /// Bytes more, or less, of some kinds.
    kinds: Kinds,
}

impl From<Vec<Write>> for AccountWrites {
    fn from(writes: Vec<Write>) -> Self {
        Self {
            writes,
            ..Self::default()
        }
    }
}

impl AccountWrites {
    /// One more.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Some more.
    pub fn extend(&mut self, writes: impl IntoIterator<Item = Write>) {
        self.writes.extend(writes);
    }

    /// Those of another one, of the same account.
    pub fn join(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.give += other.give;
        self.kinds.versions += other.kinds.versions;
        self.kinds.trash += other.kinds.trash;
    }

    /// The account does not use these bytes any more.
    pub fn give(&mut self, bytes: u64) {
        self.give += bytes;
    }

    /// These bytes come into the trash.
    pub fn enter_trash(&mut self, bytes: u64) {
        self.kinds.trash += signed(bytes);
    }

    /// These bytes leave the trash, to wherever.
    pub fn leave_trash(&mut self, bytes: u64) {
        self.kinds.trash -= signed(bytes);
    }

    /// These bytes are no version's any more.
    pub fn leave_versions(&mut self, bytes: u64) {
        self.kinds.versions -= signed(bytes);
    }

    /// All of them: that of the account is the last, if there is one.
    ///
    /// # Errors
    /// `ErrorKind::Internal` when it is malformed. Conflict: [`Conflict::NodeChanged`] when the account is gone.
    pub fn of(mut self, account: &AccountId) -> Result<Vec<Write>, StoreError> {
        if self.give > 0 || self.kinds != Kinds::default() {
            let write = quota_by_kind(account, QuotaEvent::Give(self.give), self.kinds)?;
            self.writes.push(write);
        }
        Ok(self.writes)
    }
}

/// Bytes as what an account has more. Sizes are below [`MAX_QUOTA`](domain::account::MAX_QUOTA): more no account can have.
#[must_use]
pub fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
