//! A file with its replicas, or a folder.

use crate::Function;
use api::{Handler, Problem, Request, views};
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::file::{Get, Node};

pub static FUNCTION: Function = Function::served_by::<FileGet>();

pub struct FileGet {
    table: Table,
}

impl Handler for FileGet {
    type Endpoint = Get;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Get>) -> Result<Json<Node>, Problem<Get>> {
        let node = api::lookup::node(&self.table, &request.caller.id, &request.path).await?;
        let Some(file) = &node.file else {
            return Ok(Json(views::node(&node)));
        };
        let replicas = self.table.replicas().readable(&file.blob).await?;
        Ok(Json(views::file(&node, &replicas, self.table.now())))
    }
}
