//! Deletes a file or an empty folder.

use domain::token::Scope;
use edge::{Auth, Call, Endpoint, Problem, Reply};
use store::rows::now;
use store::{Aws, StoreError, Table};

pub(crate) struct FileDelete {
    table: Table,
    auth: Auth,
}

impl FileDelete {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }
}

impl Endpoint for FileDelete {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Admin).await?;
        let node = edge::lookup::node(&self.table, &account, &call.id("file or folder")?).await?;
        match self.table.delete_node(&node, now()).await {
            Ok(()) => Ok(Reply::no_content()),
            // Somebody else deleted it, or this did, and the answer that said so got lost.
            Err(StoreError::Conflict(_)) if self.table.node(&account, &node.id).await?.is_none() => {
                Ok(Reply::no_content())
            }
            Err(error) => Err(error.into()),
        }
    }
}
