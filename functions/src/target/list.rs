//! How the targets are doing. For operators.

use crate::Function;
use api::{Handler, Problem, Request, views};
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::target::{List, Target};

pub static FUNCTION: Function = Function::served_by::<TargetList>();

pub struct TargetList {
    table: Table,
}

impl Handler for TargetList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, _: Request<List>) -> Result<Json<Items<Target>>, Problem<List>> {
        let (mut items, mut skipped) = (Vec::new(), 0);
        for member in self
            .table
            .targets()
            .target_registry()
            .await?
            .target_registry
            .members
        {
            let status = self
                .table
                .targets()
                .status(&member.name, self.table.now())
                .await?;
            skipped += status.skipped;
            items.push(views::target(&member, &status, self.table.now()));
        }
        Ok(Json(Items {
            items,
            next_cursor: None,
            skipped,
        }))
    }
}
