//! Makes a folder.

use crate::Function;
use api::{Handler, IdempotencyKey, Problem, Request, throttle, views};
use domain::placement::OnConflict;
use service::folder::create::create_folder;
use store::rows::{Allowance, NodeRow};
use store::{Environment, StoreError, Table};
use wire::answer::Created;
use wire::file::Node;
use wire::folder::{Create, NewFolder};

pub static FUNCTION: Function = Function::served_by::<FolderCreate>();

pub struct FolderCreate {
    table: Table,
    creates_per_hour: u64,
}

impl FolderCreate {
    async fn create(
        &self,
        folder: NodeRow,
        on_conflict: OnConflict,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Node>, Problem<Create>> {
        let allowance = Allowance::Creates(&folder.account);
        throttle::spend(&self.table, allowance, self.creates_per_hour).await?;
        let others = |folder: &NodeRow| {
            let remembered = key.map(|key| key.remember(&answer(folder), folder.created_at));
            remembered.into_iter().collect()
        };
        let folder = create_folder(&self.table, folder, on_conflict, others).await?;
        Ok(answer(&folder))
    }
}

fn answer(folder: &NodeRow) -> Created<Node> {
    Created {
        location: format!("files/{}", folder.id),
        body: views::node(folder),
    }
}

impl Handler for FolderCreate {
    type Endpoint = Create;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            creates_per_hour: environment.number("CREATES_PER_HOUR")?,
        })
    }

    async fn answer(&self, request: Request<Create>) -> Result<Created<Node>, Problem<Create>> {
        let NewFolder {
            name,
            parent,
            on_conflict,
        } = request.body;
        super::replaces_nothing(on_conflict)?;
        let now = self.table.now();
        let (id, account) = (self.table.rng.id(), request.caller.id);
        let folder = NodeRow::new(id, account, (name, parent), None, now);
        self.create(folder, on_conflict, request.key.as_ref()).await
    }
}
