//! The entries of a folder, by name.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::name::Name;
use store::tree::Kind;
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
            name,
            cursor,
            limit,
        } = request.query;
        let after: Option<Name> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        if let Some(parent) = &parent {
            match self.table.tree().kind(&account, parent).await? {
                Some(Kind::Folder { .. }) => {}
                None => return Err(Problem::not_found("file or folder")),
                Some(Kind::File) => {
                    return Err(Problem::invalid(
                        "parent",
                        "parent: this is a file, only folders have entries",
                    ));
                }
            }
        }
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
