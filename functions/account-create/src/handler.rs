//! Registers a user.

use domain::account::{MAX_QUOTA, Quota, Role};
use edge::requests::Credentials;
use edge::{Call, Endpoint, Problem, Reply, password, throttle, views};
use store::config::number;
use store::rows::{AccountRow, Allowance, new_id, now};
use store::{Aws, StoreError, Table};

pub(crate) struct AccountCreate {
    table: Table,
    quota: Quota,
    /// How many accounts may be made an hour at one source.
    accounts_per_hour: u64,
}

impl AccountCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            quota: default_quota()?,
            accounts_per_hour: number("ACCOUNTS_PER_HOUR_AND_SOURCE")?,
        })
    }
}

fn default_quota() -> Result<Quota, StoreError> {
    let limit = number("DEFAULT_QUOTA_BYTES")?;
    Quota::unused(limit)
        .ok_or_else(|| StoreError::Misconfigured(format!("DEFAULT_QUOTA_BYTES is above {MAX_QUOTA}")))
}

impl Endpoint for AccountCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: Credentials = call.json()?;
        let source = call.source();
        throttle::spend(
            &self.table,
            Allowance::AccountsFrom(&source),
            self.accounts_per_hour,
        )
        .await?;
        let account = AccountRow {
            id: new_id(),
            username: body.username,
            password_hash: password::hash(&body.password)?,
            quota_bytes: self.quota.limit,
            free_bytes: self.quota.free,
            role: Role::default(),
            sign_outs: 0,
            closing_since: None,
            created_at: now(),
        };
        self.table.create_account(&account, &source).await?;
        Reply::created("account", &views::Account::from(&account))
    }
}
