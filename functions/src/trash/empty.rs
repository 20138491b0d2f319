//! Removes all that is in the trash: at once nobody sees it any more, and the sweep removes it little by little.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError, Table};
use wire::answer::NoContent;
use wire::trash::Empty;

pub static FUNCTION: Function = Function::served_by::<TrashEmpty>();

pub struct TrashEmpty {
    table: Table,
}

impl Handler for TrashEmpty {
    type Endpoint = Empty;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Empty>) -> Result<NoContent, Problem<Empty>> {
        let now = self.table.now();
        self.table.trash().empty(&request.caller.id, now).await?;
        Ok(NoContent)
    }
}
