//! Restores a file or a folder from the trash: to where it was, or to somewhere else.

use crate::Function;
use crate::file::relocation::{Relocation, tagged};
use api::{Handler, Problem, Request, lookup};
use store::{Environment, StoreError};
use wire::answer::Tagged;
use wire::file::Node;
use wire::trash::Restore;

pub static FUNCTION: Function = Function::served_by::<TrashRestore>();

pub struct TrashRestore(Relocation);

impl Handler for TrashRestore {
    type Endpoint = Restore;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Relocation::from_env(environment).map(Self)
    }

    async fn answer(&self, request: Request<Restore>) -> Result<Tagged<Node>, Problem<Restore>> {
        let Self(relocation) = self;
        let node = lookup::node(&relocation.table, &request.caller.id, &request.path).await?;
        lookup::expect(request.if_match.as_ref(), &node)?;
        let now = relocation.table.now();
        let there = relocation.restore(&node, &request.body, now).await?;
        Ok(tagged(&there))
    }
}
