//! What a file has and had, the newest first.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use service::file::versions::list;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::version::{List, Version};

pub static FUNCTION: Function = Function::served_by::<VersionList>();

pub struct VersionList {
    table: Table,
}

impl Handler for VersionList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<Version>>, Problem<List>> {
        let node = lookup::node(&self.table, &request.caller.id, &request.path).await?;
        let Some(file) = &node.file else {
            return Err(Problem::not_found("file: this is a folder"));
        };
        let there = list(&self.table, &node).await?;
        let earlier = there.rows.iter().map(views::version);
        Ok(Json(Items {
            items: [views::current_version(&node, file)]
                .into_iter()
                .chain(earlier)
                .collect(),
            next_cursor: None,
            skipped: there.unreadable.len(),
        }))
    }
}
