//! The state of an upload, and which parts the store has.

use api::views::Upload;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use service::upload::stored::received;
use store::{Aws, Objects, StoreError, Table};

pub struct UploadGet {
    table: Table,
    objects: Objects,
    auth: Auth,
}

impl Endpoint for UploadGet {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            objects: Objects::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Read).await?;
        let upload = api::lookup::upload(&self.table, &account, &call.id("upload")?).await?;
        if !upload.state.is_final() {
            let received = received(&self.table, &self.objects, &upload).await?;
            return Reply::ok(&Upload::new(&upload)?.with_received(received));
        }
        let node = self.table.uploads().file_of(&upload).await?;
        Reply::ok(&api::lookup::with_file(&self.table, &upload, node.as_ref()).await?)
    }
}
