//! Files and folders by words in their names.

use crate::Function;
use api::{Handler, Problem, Request, lookup, throttle, views};
use domain::search::Place;
use service::file::search::{self, search};
use store::rows::Allowance;
use store::{Environment, StoreError, Table};
use wire::body::Json;
use wire::file::{Found, Search, Wanted};
use wire::page::Items;

pub static FUNCTION: Function = Function::served_by::<FileSearch>();

pub struct FileSearch {
    table: Table,
    reads_per_hour: u64,
}

impl Handler for FileSearch {
    type Endpoint = Search;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            reads_per_hour: environment.number("SEARCH_READS_PER_HOUR")?,
        })
    }

    async fn answer(&self, request: Request<Search>) -> Result<Json<Items<Found>>, Problem<Search>> {
        let account = request.caller.id;
        let Wanted {
            q: words,
            under,
            cursor,
            limit,
        } = request.query;
        let after: Option<Place> = lookup::cursor(cursor.as_ref())?;
        // The first read before it is made, those that follow from it when it is known how many they are.
        let allowance = Allowance::Searches(&account);
        throttle::spend(&self.table, allowance, self.reads_per_hour).await?;
        if let Some(under) = &under {
            lookup::folder(&self.table, &account, under, "under").await?;
        }
        let wanted = search::Wanted {
            account: &account,
            words: &words,
            under: under.as_ref(),
            limit: limit.unwrap_or_default().get() as usize,
        };
        let found = search(&self.table, &wanted, after.map(|place| place.to_string())).await?;
        if let more @ 1.. = found.reads.saturating_sub(1) {
            let now = self.table.now();
            let throttle = self.table.throttle();
            throttle.spend(&allowance, more, u64::MAX, now).await?;
        }
        let items = found.nodes.into_iter().map(|(node, path)| Found {
            node: views::node(&node),
            path,
        });
        Ok(Json(Items {
            items: items.collect(),
            next_cursor: found.next,
            skipped: found.skipped,
        }))
    }
}
