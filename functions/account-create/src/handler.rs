//! Registers a user.

use domain::account::{MAX_QUOTA, Password, Quota, Role, Username};
use edge::{Call, Endpoint, Problem, Reply, password, views};
use serde::Deserialize;
use store::rows::{AccountRow, new_id, now};
use store::{Aws, StoreError, Table};

pub(crate) struct AccountCreate {
    table: Table,
    quota: Quota,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: Username,
    password: Password,
}

impl AccountCreate {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            quota: default_quota()?,
        })
    }
}

fn default_quota() -> Result<Quota, StoreError> {
    let limit = store::config::number("DEFAULT_QUOTA_BYTES")?;
    Quota::unused(limit)
        .ok_or_else(|| StoreError::Misconfigured(format!("DEFAULT_QUOTA_BYTES is above {MAX_QUOTA}")))
}

impl Endpoint for AccountCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: Body = call.json()?;
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
        self.table.create_account(&account).await?;
        Reply::created("account", &views::Account::from(&account))
    }
}
