//! Gives a file the content of a version again.

use crate::Function;
use crate::file::relocation::tagged;
use api::{Handler, Problem, Request, lookup};
use domain::versions::VersionPolicy;
use service::file::versions::restore;
use store::config::version_policy;
use store::{Environment, StoreError, Table};
use wire::answer::Tagged;
use wire::file::Node;
use wire::version::Restore;

pub static FUNCTION: Function = Function::served_by::<VersionRestore>();

pub struct VersionRestore {
    table: Table,
    versions: VersionPolicy,
}

impl Handler for VersionRestore {
    type Endpoint = Restore;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            versions: version_policy(environment)?,
        })
    }

    async fn answer(&self, request: Request<Restore>) -> Result<Tagged<Node>, Problem<Restore>> {
        let id = request.path;
        let node = lookup::node(&self.table, &request.caller.id, &id.node).await?;
        lookup::expect(request.if_match.as_ref(), &node)?;
        let there = restore(&self.table, &node, id.number, self.versions).await?;
        let there = there.ok_or_else(|| Problem::not_found("version"))?;
        Ok(tagged(&there))
    }
}
