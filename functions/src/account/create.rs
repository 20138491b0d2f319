//! Registers a user.

use crate::Function;
use api::{Handler, Problem, Request, password, throttle, views};
use domain::account::{MAX_QUOTA, Quota, Role};
use domain::invitation::Code;
use store::config::SignUp;
use store::rows::{AccountRow, Allowance, InvitationRow};
use store::{Environment, StoreError, Table};
use wire::account::{Account, Create};
use wire::answer::Created;
use wire::code;

pub static FUNCTION: Function = Function::served_by::<AccountCreate>();

const INVITATION_REQUIRED: &str = "accounts are made by invitation here; ask who operates this store for a code, and send it as \"invitation\"";

pub struct AccountCreate {
    table: Table,
    sign_up: SignUp,
    quota: Quota,
    /// How many accounts may be made an hour at one source.
    accounts_per_hour: u64,
}

impl AccountCreate {
    /// The invitation that the account is made by. It is checked before the name: without one, nobody learns
    /// which names there are.
    async fn invitation(&self, code: Option<&Code>) -> Result<Option<InvitationRow>, Problem<Create>> {
        let Some(code) = code else {
            return match self.sign_up {
                SignUp::Open => Ok(None),
                SignUp::Invited => Err(Problem::new(code::InvitationRequired, INVITATION_REQUIRED)),
            };
        };
        let invitation = self.table.invitations().by_code(code, self.table.now()).await?;
        let invitation = invitation.filter(|invitation| invitation.password_of.is_none());
        invitation.map(Some).ok_or_else(Problem::invitation_invalid)
    }
}

fn default_quota(environment: &Environment) -> Result<Quota, StoreError> {
    let limit = environment.number("DEFAULT_QUOTA_BYTES")?;
    Quota::unused(limit)
        .ok_or_else(|| StoreError::misconfigured(format!("DEFAULT_QUOTA_BYTES is above {MAX_QUOTA}")))
}

impl Handler for AccountCreate {
    type Endpoint = Create;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            sign_up: SignUp::from_env(environment)?,
            quota: default_quota(environment)?,
            accounts_per_hour: environment.number("ACCOUNTS_PER_HOUR_AND_SOURCE")?,
        })
    }

    async fn answer(&self, request: Request<Create>) -> Result<Created<Account>, Problem<Create>> {
        let Request { body, source, .. } = request;
        throttle::spend(
            &self.table,
            Allowance::AccountsFrom(&source),
            self.accounts_per_hour,
        )
        .await?;
        let invitation = self.invitation(body.invitation.as_ref()).await?;
        let quota = invitation.as_ref().and_then(|invitation| invitation.quota_bytes);
        let quota = quota.and_then(Quota::unused).unwrap_or(self.quota);
        let account = AccountRow {
            id: self.table.rng.id(),
            username: body.username,
            password_hash: password::hash(&body.password, &self.table.rng)?,
            quota_bytes: quota.limit,
            free_bytes: quota.free,
            version_bytes: 0,
            trash_bytes: 0,
            role: Role::default(),
            sign_outs: 0,
            deletion_started_at: None,
            created_at: self.table.now(),
        };
        self.table
            .accounts()
            .create(&account, &source, invitation.as_ref())
            .await?;
        Ok(Created {
            location: "account".to_owned(),
            body: views::account(&account, 0),
        })
    }
}
