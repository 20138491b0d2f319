//! The entries of a folder, by name.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::name::Name;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::file::{Entries, List, Node};
use wire::page::Items;

pub static FUNCTION: Function = Function::served_by::<FileList>();

pub struct FileList {
    table: Table,
}

impl Handler for FileList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<Node>>, Problem<List>> {
        let account = request.caller.id;
        let Entries {
            parent,
            path,
            name,
            cursor,
            limit,
        } = request.query;
        let after: Option<Name> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        let parent = match (parent, path) {
            (Some(_), Some(_)) => {
                let detail = "path: this says which folder, and \"parent\" says so, too; give one of them";
                return Err(Problem::invalid("path", detail));
            }
            (Some(parent), None) => {
                lookup::folder(&self.table, &account, &parent, "parent").await?;
                Some(parent)
            }
            (None, Some(path)) => lookup::folder_at(&self.table, &account, &path).await?,
            (None, None) => None,
        };
        if let Some(name) = name {
            let node = self.table.tree().named(&account, parent.as_ref(), &name).await;
            let node = self.table.or_leave_out(node)?;
            return Ok(Json(Items {
                items: node.iter().flatten().map(views::node).collect(),
                next_cursor: None,
                skipped: usize::from(node.is_none()),
            }));
        }
        let page = self
            .table
            .tree()
            .children(&account, parent.as_ref(), after.as_ref(), limit)
            .await?;
        Ok(Json(Items {
            items: page.rows.iter().map(views::node).collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        }))
    }
}
