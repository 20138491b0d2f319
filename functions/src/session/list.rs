//! Where the account is signed in.

use crate::Function;
use api::{Handler, Problem, Request, SignedIn, lookup};
use domain::id::SessionId;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::page::Items;
use wire::query::Paged;
use wire::session::{ActiveSession, List};

pub static FUNCTION: Function = Function::served_by::<SessionList>();

pub struct SessionList {
    table: Table,
}

impl Handler for SessionList {
    type Endpoint = List;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<List>) -> Result<Json<Items<ActiveSession>>, Problem<List>> {
        let SignedIn { account, session } = request.caller;
        let Paged { cursor, limit } = request.query;
        let after: Option<SessionId> = lookup::cursor(cursor.as_ref())?;
        let limit = limit.unwrap_or_default().get();
        let page = self
            .table
            .sessions()
            .page(&account.id, after.as_ref(), limit)
            .await?;
        // The table deletes sessions that are over when it has the time.
        let now = self.table.now();
        let active = page.rows.into_iter().filter(|row| row.is_active(&account, now));
        Ok(Json(Items {
            items: active
                .map(|row| ActiveSession {
                    current: row.id == session.id,
                    id: row.id,
                    client: row.client.map(|client| client.to_string()),
                    created_at: row.refreshing.began_at,
                    refreshed_at: row.refreshing.refreshed_at,
                    expires_at: row.refreshing.ends_at(),
                })
                .collect(),
            next_cursor: page.next,
            skipped: page.unreadable.len(),
        }))
    }
}
