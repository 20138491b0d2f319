//! The state of an upload, and which parts the store has.

use edge::views::Upload;
use edge::{Call, Endpoint, Problem, Reply, Tokens};
use store::finalize::received;
use store::{Aws, Objects, StoreError, Table};

pub(crate) struct UploadGet {
    table: Table,
    objects: Objects,
    tokens: Tokens,
}

impl UploadGet {
    pub(crate) async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            tokens: Tokens::from_env(&aws).await?,
        })
    }
}

impl Endpoint for UploadGet {
    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.tokens)?;
        let upload = edge::lookup::upload(&self.table, &account, &call.id("upload")?).await?;
        let view = Upload::new(&upload)?;
        if !upload.state.is_final() {
            return Reply::ok(&view.with_received(received(&self.table, &self.objects, &upload).await?));
        }
        let Some(node) = &upload.node else {
            return Reply::ok(&view);
        };
        let Some(node) = self.table.node(&account, node).await? else {
            return Reply::ok(&view);
        };
        let Some(file) = &node.file else {
            return Reply::ok(&view);
        };
        let replicas = self.table.replicas(&file.blob).await?;
        Reply::ok(&view.with_file(&node, &replicas))
    }
}
