//! Brings a file or a folder into the trash, or removes it.

use super::removal::Removal;
use crate::Function;
use api::{Handler, Problem, Request, lookup};
use service::file::delete::delete;
use store::{Environment, StoreError};
use wire::answer::{Either, NoContent};
use wire::body::Json;
use wire::file::{Delete, DeletedFolder};

pub static FUNCTION: Function = Function::served_by::<FileDelete>();

pub struct FileDelete(Removal);

impl Handler for FileDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Removal::from_env(environment).map(Self)
    }

    async fn answer(
        &self,
        request: Request<Delete>,
    ) -> Result<Either<NoContent, Json<DeletedFolder>>, Problem<Delete>> {
        let Self(removal) = self;
        let node = removal.find(&request.caller.id, &request.path).await?;
        let deletion = removal.deletion(request.query.permanently.unwrap_or(false));
        lookup::expect(request.if_match.as_ref(), &node)?;
        let open_uploads = delete(&removal.table, &node, deletion, removal.table.now()).await?;
        if open_uploads > 0 {
            return Ok(Either::Second(Json(DeletedFolder { open_uploads })));
        }
        Ok(Either::First(NoContent))
    }
}
