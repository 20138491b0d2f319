//! The caller's uploads that have not ended.

use api::views::{Items, Upload};
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use domain::upload::State;
use store::rows::{UploadPlace, UploadRow, now};
use store::{Aws, StoreError, Table};

pub struct UploadList {
    table: Table,
    auth: Auth,
}

impl Endpoint for UploadList {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Read).await?;
        let after: Option<UploadPlace> = call.query("cursor")?;
        let page = self
            .table
            .uploads()
            .page(&account, after.as_ref(), call.limit()?)
            .await?;
        let now = now();
        let live = |row: &&UploadRow| row.state == State::Finalizing || row.session().is_open(now);
        let items = page
            .rows
            .iter()
            .filter(live)
            .map(Upload::new)
            .collect::<Result<Vec<_>, _>>()?;
        Reply::ok(&Items {
            items,
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        })
    }
}
