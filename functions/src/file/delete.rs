//! Deletes a file or an empty folder.

use crate::Function;
use api::{Handler, Problem, Request};
use domain::id::{AccountId, NodeId};
use service::file::delete::delete;
use store::rows::NodeRow;
use store::{Environment, ErrorKind, StoreError, Table};
use wire::answer::{Either, NoContent};
use wire::body::Json;
use wire::code;
use wire::file::{Delete, DeletedFolder};

pub static FUNCTION: Function = Function::served_by::<FileDelete>();

pub struct FileDelete {
    table: Table,
}

impl FileDelete {
    /// The file or folder, as far as its removal wants it: what else cannot be read does not matter any more.
    async fn find(&self, account: &AccountId, id: &NodeId) -> Result<NodeRow, Problem<Delete>> {
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
                Err(Problem::new(code::Unreadable, detail))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Handler for FileDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(
        &self,
        request: Request<Delete>,
    ) -> Result<Either<NoContent, Json<DeletedFolder>>, Problem<Delete>> {
        let account = request.caller.id;
        let node = self.find(&account, &request.path).await?;
        api::lookup::expect(request.if_match.as_ref(), &node)?;
        let open_uploads = delete(&self.table, &node, self.table.now()).await?;
        if open_uploads > 0 {
            return Ok(Either::Second(Json(DeletedFolder { open_uploads })));
        }
        Ok(Either::First(NoContent))
    }
}
