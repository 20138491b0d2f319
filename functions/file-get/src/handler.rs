//! A file with its replicas, or a folder.

use domain::token::Scope;
use edge::views::Node;
use edge::{Auth, Call, Endpoint, Problem, Reply};
use store::rows::now;
use store::{Aws, StoreError, Table};

pub(crate) struct FileGet {
    table: Table,
    auth: Auth,
}

impl FileGet {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for FileGet {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Read).await?;
        let node = edge::lookup::node(&self.table, &account, &call.id("file or folder")?).await?;
        let Some(file) = &node.file else {
            return Reply::ok(&Node::from(&node));
        };
        let replicas = self.table.readable_replicas(&file.blob).await?;
        Reply::ok(&Node::from(&node).with_replicas(&replicas, now()))
    }
}
