//! The state of an upload, and which parts the store has.

use crate::Function;
use api::{Handler, Problem, Request, views};
use service::upload::stored::received;
use store::{Environment, Objects, StoreError, Table};
use wire::body::Json;
use wire::upload::{Get, Upload};

pub static FUNCTION: Function = Function::served_by::<UploadGet>();

pub struct UploadGet {
    table: Table,
    objects: Objects,
}

impl Handler for UploadGet {
    type Endpoint = Get;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            objects: Objects::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Get>) -> Result<Json<Upload>, Problem<Get>> {
        let upload = api::lookup::upload(&self.table, &request.caller.id, &request.path).await?;
        if !upload.state.is_final() {
            let received = received(&self.table, &self.objects, &upload).await?;
            return Ok(Json(Upload {
                received: Some(views::received(received)),
                ..views::upload(&upload, self.table.now())?
            }));
        }
        let node = self.table.uploads().file_of(&upload).await?;
        Ok(Json(
            api::lookup::with_file(&self.table, &upload, node.as_ref()).await?,
        ))
    }
}
