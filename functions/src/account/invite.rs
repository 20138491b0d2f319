//! Makes, lists and revokes codes that are good once.

use crate::{ForLog, Function, Invocation, Trigger};
use domain::account::{MAX_QUOTA, Username};
use domain::id::InvitationId;
use domain::invitation::{Code, DAYS, DAYS_FOR_A_PASSWORD, InvalidDays, Note, ends_at};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::rows::{InvitationRow, Owner};
use store::{Conflict, Environment, StoreError, Table};

pub static FUNCTION: Function = Function::triggered::<AccountInvite>();

/// How many invitations an answer lists: far fewer bytes than an answer of a function may have.
const PAGE: u32 = 1000;

pub struct AccountInvite {
    table: Table,
}

#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// A code that makes an account.
    Create {
        #[serde(rename = "for")]
        note: Option<Note>,
        days: Option<u16>,
        quota_bytes: Option<u64>,
    },
    /// A code that sets the password of an account.
    ResetPassword {
        username: Username,
        #[serde(rename = "for")]
        note: Option<Note>,
        days: Option<u16>,
    },
    List {
        after: Option<InvitationId>,
    },
    Revoke {
        id: InvitationId,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum InviteOutput {
    Made {
        #[serde(flatten)]
        invitation: Invitation,
        /// Said now and never again.
        code: String,
    },
    List {
        items: Vec<Invitation>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        /// How many cannot be read, and are missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<usize>,
    },
    Revoked {
        revoked: InvitationId,
    },
}

/// What administrators see of an invitation.
#[derive(Serialize)]
pub struct Invitation {
    id: InvitationId,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_bytes: Option<u64>,
    /// Whose password it sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_of: Option<Username>,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<Username>,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: row.id,
            note: row.note,
            quota_bytes: row.quota_bytes,
            password_of: row.password_of.map(|owner| owner.username),
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            used_by: row.used_by,
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("there is no account {0}")]
    NoAccount(Username),
    #[error("a quota has at most {MAX_QUOTA} bytes")]
    TooLarge,
    #[error("days: {0}")]
    Days(#[from] InvalidDays),
    #[error("there is no invitation {0}; it may have been revoked before, or have ended")]
    NoInvitation(InvitationId),
    #[error("the invitation {0} was used, so it cannot be revoked; action \"list\" says when")]
    Used(InvitationId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ForLog for InviteError {
    fn for_log(&self) -> String {
        match self {
            Self::Store(error) => error.for_log(),
            _ => self.to_string(),
        }
    }
}

impl Trigger for AccountInvite {
    type Input = Request;
    type Output = InviteOutput;
    type Error = InviteError;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn run(&self, request: Request, _: Invocation) -> Result<InviteOutput, InviteError> {
        self.act(request).await
    }
}

impl AccountInvite {
    async fn act(&self, request: Request) -> Result<InviteOutput, InviteError> {
        match request {
            Request::Create {
                note,
                days,
                quota_bytes,
            } => {
                if quota_bytes.is_some_and(|bytes| bytes > MAX_QUOTA) {
                    return Err(InviteError::TooLarge);
                }
                let row = |row| InvitationRow {
                    note,
                    quota_bytes,
                    ..row
                };
                self.make(days.unwrap_or(DAYS), row).await
            }
            Request::ResetPassword { username, note, days } => {
                let account = self.table.accounts().by_username(&username).await?;
                let account = account.ok_or_else(|| InviteError::NoAccount(username.clone()))?;
                let owner = Owner {
                    account: account.id,
                    username,
                };
                let row = |row| InvitationRow {
                    note,
                    password_of: Some(owner),
                    ..row
                };
                self.make(days.unwrap_or(DAYS_FOR_A_PASSWORD), row).await
            }
            Request::List { after } => self.list(after.as_ref()).await,
            Request::Revoke { id } => self.revoke(id).await,
        }
    }

    async fn make(
        &self,
        days: u16,
        complete: impl FnOnce(InvitationRow) -> InvitationRow,
    ) -> Result<InviteOutput, InviteError> {
        let code = Code::from_bits(self.table.rng.random());
        let created_at = self.table.now();
        let row = complete(InvitationRow {
            id: code.id(),
            note: None,
            quota_bytes: None,
            password_of: None,
            created_at,
            expires_at: ends_at(created_at, days)?,
            used_at: None,
            used_by: None,
        });
        self.table.invitations().create(&row).await?;
        let password_of = row.password_of.as_ref().map(|owner| owner.account.as_str());
        tracing::info!(invitation = %row.id, password_of, "invitation made");
        Ok(InviteOutput::Made {
            invitation: row.into(),
            code: code.reveal(),
        })
    }

    async fn list(&self, after: Option<&InvitationId>) -> Result<InviteOutput, InviteError> {
        let (now, page) = (
            self.table.now(),
            self.table.invitations().page(after, PAGE).await?,
        );
        let skipped = page.unreadable.len();
        // The table deletes what has ended when it has the time.
        let listed = page.rows.into_iter().filter(|row| now < row.expires_at);
        Ok(InviteOutput::List {
            items: listed.map(Invitation::from).collect(),
            next: page.next,
            skipped: (skipped > 0).then_some(skipped),
        })
    }

    async fn revoke(&self, id: InvitationId) -> Result<InviteOutput, InviteError> {
        match self.table.invitations().revoke(&id).await {
            Ok(()) => {
                tracing::info!(invitation = %id, "invitation revoked");
                Ok(InviteOutput::Revoked { revoked: id })
            }
            Err(error) if error.conflict() == Some(Conflict::InvitationGone) => {
                let used = self.table.invitations().get(&id).await?.is_some();
                Err(if used {
                    InviteError::Used(id)
                } else {
                    InviteError::NoInvitation(id)
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}
