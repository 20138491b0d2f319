//! Renames or moves a file or a folder.

use super::relocation::{Relocation, tagged};
use crate::Function;
use api::{Handler, Problem, Request, lookup};
use store::{Environment, StoreError};
use wire::answer::Tagged;
use wire::file::{Node, Update};

pub static FUNCTION: Function = Function::served_by::<FileUpdate>();

pub struct FileUpdate(Relocation);

impl Handler for FileUpdate {
    type Endpoint = Update;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Relocation::from_env(environment).map(Self)
    }

    async fn answer(&self, request: Request<Update>) -> Result<Tagged<Node>, Problem<Update>> {
        let Self(relocation) = self;
        let node = lookup::node(&relocation.table, &request.caller.id, &request.path).await?;
        lookup::expect(request.if_match.as_ref(), &node)?;
        let now = relocation.table.now();
        let there = relocation.update(&node, &request.body, now).await?;
        Ok(tagged(&there))
    }
}
