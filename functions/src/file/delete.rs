//! Deletes a file or an empty folder.

use api::problem::Code;
use api::views::DeletedFolder;
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::id::{AccountId, NodeId};
use domain::token::Scope;
use service::file::delete::delete;
use store::rows::{NodeRow, now};
use store::{Aws, ErrorKind, StoreError, Table};

pub struct FileDelete {
    table: Table,
    auth: Auth,
}

impl FileDelete {
    /// The file or folder, as far as its removal wants it: what else cannot be read does not matter any more.
    async fn find(&self, account: &AccountId, id: &NodeId) -> Result<NodeRow, Problem> {
        match self.table.tree().remains(account, id).await {
            Ok(Some(node)) => Ok(node),
            Ok(None) => Err(Problem::not_found("file or folder")),
            Err(StoreError {
                kind: ErrorKind::Corrupt,
                key: Some(key),
                ..
            }) => {
                self.table.leave_out(&key);
                let detail = "what is stored of it cannot be read, so nobody knows what would have to be removed \
                              with it; ask who operates this store, whose log has the item's key";
                Err(Problem::new(Code::Unreadable, detail))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Endpoint for FileDelete {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        let account = call.account(&self.auth, Scope::Admin).await?;
        let node = self.find(&account, &call.id("file or folder")?).await?;
        let open_uploads = delete(&self.table, &node, now()).await?;
        if open_uploads > 0 {
            return Reply::ok(&DeletedFolder { open_uploads });
        }
        Ok(Reply::no_content())
    }
}
