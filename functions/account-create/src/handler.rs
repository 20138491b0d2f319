//! Registers a user.

use domain::account::{Password, Username};
use edge::{Call, Endpoint, Problem, Reply, password, views};
use serde::Deserialize;
use store::rows::{AccountRow, new_id, now};
use store::{Aws, StoreError, Table};

pub(crate) struct AccountCreate {
    table: Table,
    quota_bytes: u64,
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
            quota_bytes: store::config::number("DEFAULT_QUOTA_BYTES")?,
        })
    }
}

impl Endpoint for AccountCreate {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let body: Body = call.json()?;
        let account = AccountRow {
            id: new_id(),
            username: body.username,
            password_hash: password::hash(&body.password)?,
            quota_bytes: self.quota_bytes,
            free_bytes: self.quota_bytes,
            created_at: now(),
        };
        self.table.create_account(&account).await?;
        Reply::created("account", &views::Account::from(&account))
    }
}
