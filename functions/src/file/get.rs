//! A file with its replicas, or a folder.

use crate::{Exit, serve};
use api::{Handler, Problem, Request, views};
use store::rows::now;
use store::{Aws, StoreError, Table};
use wire::body::Json;
use wire::file::{Get, Node};

pub fn main() -> Exit {
    serve::<FileGet>()
}

pub struct FileGet {
    table: Table,
}

impl Handler for FileGet {
    type Endpoint = Get;

    async fn new(aws: &Aws) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(aws)?,
        })
    }

    async fn answer(&self, request: Request<Get>) -> Result<Json<Node>, Problem<Get>> {
        let node = api::lookup::node(&self.table, &request.caller.id, &request.path).await?;
        let Some(file) = &node.file else {
            return Ok(Json(views::node(&node)));
        };
        let replicas = self.table.replicas().readable(&file.blob).await?;
        Ok(Json(views::file(&node, &replicas, now())))
    }
}
