//! The caller's uploads that have not ended.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::upload::State;
use store::rows::{OpenUploadKey, UploadRow};
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::query::Paged;
use wire::upload::{List, Upload};

pub static FUNCTION: Function = Function::served_by::<UploadList>();

pub struct UploadList {
    table: Table,
}

impl Handler for UploadList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<Upload>>, Problem<List>> {
        let account = request.caller.id;
        let Paged { cursor, limit } = request.query;
        let after: Option<OpenUploadKey> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        let page = self.table.uploads().page(&account, after.as_ref(), limit).await?;
        let now = self.table.now();
        let live = |row: &&UploadRow| row.state == State::Finalizing || row.lifecycle().is_open(now);
        let items = page
            .rows
            .iter()
            .filter(live)
            .map(|row| views::upload(row, now))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Json(Items {
            items,
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        }))
    }
}
