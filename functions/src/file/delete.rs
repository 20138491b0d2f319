//! Deletes a file or an empty folder.

use crate::{Exit, serve};
use api::{Handler, Problem, Request};
use domain::id::{AccountId, NodeId};
use store::rows::{NodeRow, now};
use store::table::Key;
use store::{Aws, StoreError, Table};
use wire::answer::{Either, NoContent};
use wire::body::Json;
use wire::code;
use wire::file::{Delete, DeletedFolder};

/// The program.
///
/// # Errors
/// When it is not configured, or the Lambda runtime cannot be reached.
pub fn main() -> Exit {
    serve::<FileDelete>()
}

pub struct FileDelete {
    table: Table,
}

impl FileDelete {
    /// The file or folder, as far as its removal wants it: what else cannot be read does not matter any more.
    async fn find(&self, account: &AccountId, id: &NodeId) -> Result<NodeRow, Problem<Delete>> {
        match self.table.remains(account, id).await {
            Ok(Some(node)) => Ok(node),
            Ok(None) => Err(Problem::not_found("file or folder")),
            Err(StoreError::Unreadable { pk, sk }) => {
                self.table.leave_out(&Key { pk, sk });
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

    async fn new(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
        })
    }

    async fn answer(
        &self,
        request: Request<Delete>,
    ) -> Result<Either<NoContent, Json<DeletedFolder>>, Problem<Delete>> {
        let account = request.caller.id;
        let node = self.find(&account, &request.path).await?;
        // Before, so that nothing is deleted without its being told.
        let open_uploads = match node.file {
            Some(_) => 0,
            None => self.table.uploads_into(&account, &node.id).await?,
        };
        match self.table.delete_node(&node, now()).await {
            Ok(()) => {}
            // Somebody else deleted it, or this did, and the answer that said so got lost.
            Err(StoreError::Conflict(_)) if self.table.kind(&account, &node.id).await?.is_none() => {}
            Err(error) => return Err(error.into()),
        }
        if open_uploads > 0 {
            return Ok(Either::Second(Json(DeletedFolder { open_uploads })));
        }
        Ok(Either::First(NoContent))
    }
}
