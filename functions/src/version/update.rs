//! Keeps a version for good, or not any more.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::versions::VersionPolicy;
use service::file::versions::keep;
use store::config::version_policy;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::version::{Update, Version};

pub static FUNCTION: Function = Function::served_by::<VersionUpdate>();

pub struct VersionUpdate {
    table: Table,
    versions: VersionPolicy,
}

impl Handler for VersionUpdate {
    type Endpoint = Update;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            versions: version_policy(environment)?,
        })
    }

    async fn answer(&self, request: Request<Update>) -> Result<Json<Version>, Problem<Update>> {
        let id = request.path;
        let node = lookup::node(&self.table, &request.caller.id, &id.node).await?;
        let kept = keep(&self.table, &node, id.number, request.body.kept, self.versions).await?;
        let kept = kept.ok_or_else(|| Problem::not_found("version"))?;
        Ok(Json(views::version(&kept)))
    }
}
