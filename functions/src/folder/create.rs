//! Makes a folder.

use api::requests::NewFolder;
use api::{Auth, Call, Endpoint, IdempotencyKey, Problem, Reply, idempotency, throttle, views};
use domain::placement::OnConflict;
use domain::token::Scope;
use service::folder::create::create_folder;
use store::config::number;
use store::rows::{Allowance, NodeRow, new_id, now};
use store::table::Write;
use store::{Aws, StoreError, Table};

pub struct FolderCreate {
    table: Table,
    auth: Auth,
    creates_per_hour: u64,
}

impl FolderCreate {
    async fn create(
        &self,
        mut folder: NodeRow,
        on_conflict: OnConflict,
        key: Option<&IdempotencyKey>,
    ) -> Result<Reply, Problem> {
        let allowance = Allowance::Creates(&folder.account);
        throttle::spend(&self.table, allowance, self.creates_per_hour).await?;
        // A folder never gets deeper: what is read here is still so when it is written.
        let parent = folder.parent.as_ref();
        folder.depth = self.table.tree().depth_within(&folder.account, parent).await?;
        let others = |folder: &NodeRow| {
            let remembered = key.map(|key| remember(key, folder));
            remembered.into_iter().collect()
        };
        let folder = create_folder(&self.table, folder, on_conflict, others).await?;
        reply(&folder)
    }
}

fn reply(folder: &NodeRow) -> Result<Reply, Problem> {
    Reply::created(&views::Node::location(folder), &views::Node::from(folder))
}

fn remember(key: &IdempotencyKey, folder: &NodeRow) -> Result<Write, StoreError> {
    let reply = reply(folder)
        .map_err(|problem| StoreError::internal("writing an answer", problem.code().as_str()))?;
    key.remember(&reply)
}

impl Endpoint for FolderCreate {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
            creates_per_hour: number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Upload).await?;
        let NewFolder {
            name,
            parent,
            on_conflict,
        } = call.json()?;
        if on_conflict == OnConflict::Replace {
            let detail = "on_conflict: a folder does not replace anything; use \"fail\" or \"rename\"";
            return Err(Problem::invalid("on_conflict", detail));
        }
        let key = call.idempotency_key(&account, "folders")?;
        let now = now();
        let folder = NodeRow {
            id: new_id(),
            account,
            name,
            parent,
            file: None,
            entries: 0,
            depth: 0,
            created_at: now,
            updated_at: now,
        };
        let create = Box::pin(self.create(folder, on_conflict, key.as_ref()));
        idempotency::once(key.as_ref(), &self.table, create).await
    }
}
