//! What is in the trash, the newest first.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use service::folder::paths::paths;
use std::collections::BTreeMap;
use store::rows::{NodeRow, TrashPlace};
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::query::Paged;
use wire::trash::{List, Trashed};

pub static FUNCTION: Function = Function::served_by::<TrashList>();

pub struct TrashList {
    table: Table,
}

impl Handler for TrashList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<Trashed>>, Problem<List>> {
        let account = request.caller.id;
        let Paged { cursor, limit } = request.query;
        let after: Option<TrashPlace> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        let page = self.table.trash().newest(&account, after.as_ref(), limit).await?;
        let keys = page.rows.iter().map(|row| NodeRow::key_of(&account, &row.node));
        let nodes = self.table.get_many::<NodeRow>(keys).await?;
        let parents = nodes.rows.iter().filter_map(|node| node.parent.clone());
        let paths = paths(&self.table, &account, parents).await?;
        let mut by_id: BTreeMap<_, _> = nodes
            .rows
            .into_iter()
            .map(|node| (node.id.clone(), node))
            .collect();
        let items = page.rows.iter().filter_map(|row| {
            let node = by_id.remove(&row.node)?;
            let folder = match &node.parent {
                None => Some(""),
                Some(parent) => paths.get(parent).map(String::as_str),
            };
            Some(Trashed {
                path: folder.map(|folder| format!("{folder}/{}", node.name)),
                node: views::node(&node),
                trashed_at: row.trashed_at,
                expires_at: row.expires_at,
                bytes: row.bytes,
                files: row.files,
            })
        });
        Ok(Json(Items {
            items: items.collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len() + nodes.unreadable.len(),
        }))
    }
}
