//! Removes a version of a file.

use crate::Function;
use api::{Handler, Problem, Request};
use service::file::versions::delete;
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::version::Delete;

pub static FUNCTION: Function = Function::served_by::<VersionDelete>();

pub struct VersionDelete {
    table: Table,
}

impl Handler for VersionDelete {
    type Endpoint = Delete;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Delete>) -> Result<NoContent, Problem<Delete>> {
        let is_gone = delete(&self.table, &request.caller.id, &request.path).await?;
        is_gone
            .then_some(NoContent)
            .ok_or_else(|| Problem::not_found("version"))
    }
}
