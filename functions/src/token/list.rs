//! The personal access tokens of the account, without their texts.

use crate::Function;
use api::{Handler, Problem, Request, lookup, views};
use domain::id::PersonalTokenId;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::query::Paged;
use wire::token::{List, PersonalToken};

pub static FUNCTION: Function = Function::served_by::<TokenList>();

pub struct TokenList {
    table: Table,
}

impl Handler for TokenList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<PersonalToken>>, Problem<List>> {
        let account = request.caller.id;
        let Paged { cursor, limit } = request.query;
        let after: Option<PersonalTokenId> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        let page = self.table.tokens().page(&account, after.as_ref(), limit).await?;
        // The table deletes what has expired when it has the time.
        let good = page.rows.iter().filter(|row| self.table.now() < row.expires_at);
        Ok(Json(Items {
            items: good.map(views::token).collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        }))
    }
}
