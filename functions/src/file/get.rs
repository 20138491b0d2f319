//! A file with its replicas, or a folder.

use api::views::Node;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use store::rows::now;
use store::{Aws, StoreError, Table};

pub struct FileGet {
    table: Table,
    auth: Auth,
}

impl Endpoint for FileGet {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Read).await?;
        let node = api::lookup::node(&self.table, &account, &call.id("file or folder")?).await?;
        let Some(file) = &node.file else {
            return Reply::ok(&Node::from(&node));
        };
        let replicas = self.table.replicas().readable(&file.blob).await?;
        Reply::ok(&Node::from(&node).with_replicas(&replicas, now()))
    }
}
