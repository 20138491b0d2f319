//! Makes a copy of a file.

use crate::Function;
use api::{Handler, IdempotencyKey, Problem, Request, lookup, throttle, views};
use domain::placement::Destination;
use domain::versions::VersionPolicy;
use service::file::copy::copy;
use service::file::ensure_replicas::ensure_replicas;
use store::config::version_policy;
use store::rows::{Allowance, NodeRow};
use store::{Conflict, Environment, StartQueue, StoreError, Table};
use wire::answer::Created;
use wire::code;
use wire::file::{Copy, Node};

pub static FUNCTION: Function = Function::served_by::<FileCopy>();

pub struct FileCopy {
    table: Table,
    queue: StartQueue,
    creates_per_hour: u64,
    versions: VersionPolicy,
}

impl FileCopy {
    async fn copy(
        &self,
        source: &NodeRow,
        destination: &Destination,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Node>, Problem<Copy>> {
        let Some(content) = &source.file else {
            let detail = "id: this is a folder; make another one, and copy the files that are in it";
            return Err(Problem::invalid("id", detail));
        };
        let allowance = Allowance::Creates(&source.account);
        throttle::spend(&self.table, allowance, self.creates_per_hour).await?;
        let now = self.table.now();
        let others = |copy: &NodeRow| {
            let remembered = key.map(|key| key.remember(&answer(copy), now));
            remembered.into_iter().collect()
        };
        let copied = copy(
            &self.table,
            (source, content),
            destination,
            self.versions,
            now,
            others,
        )
        .await;
        let copied = copied.map_err(|error| match error.conflict() {
            Some(Conflict::BlobGone) => {
                let detail = "the primary store has lost the file's bytes, and cannot refer to them once more; try again \
                              later, or ask who operates this store";
                Problem::new(code::BytesUnavailable, detail).retry_after(60)
            }
            _ => error.into(),
        });
        let copied = lookup::with_room(&self.table, &source.account, content.size, copied).await?;
        // Policies may ask for other replicas of what is in another folder.
        ensure_replicas(&self.table, &self.queue, &copied).await;
        Ok(answer(&copied))
    }
}

fn answer(copy: &NodeRow) -> Created<Node> {
    Created {
        location: format!("../{}", copy.id),
        body: views::node(copy),
    }
}

impl Handler for FileCopy {
    type Endpoint = Copy;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            creates_per_hour: environment.number("CREATES_PER_HOUR")?,
            versions: version_policy(environment)?,
        })
    }

    async fn answer(&self, request: Request<Copy>) -> Result<Created<Node>, Problem<Copy>> {
        let source = lookup::node(&self.table, &request.caller.id, &request.path).await?;
        self.copy(&source, &request.body, request.key.as_ref()).await
    }
}
