//! A file with its replicas, or a folder.

use crate::Function;
use api::{Handler, Problem, Request, views};
use store::{Environment, StoreError, Table};
use wire::answer::Tagged;
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

    async fn answer(&self, request: Request<Get>) -> Result<Tagged<Node>, Problem<Get>> {
        let node = api::lookup::node(&self.table, &request.caller.id, &request.path).await?;
        let body = match &node.file {
            None => views::node(&node),
            Some(file) => {
                let replicas = self.table.replicas().readable(&file.blob).await?;
                views::file(&node, &replicas, self.table.now())
            }
        };
        Ok(Tagged {
            version: node.version,
            body,
        })
    }
}
