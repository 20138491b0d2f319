//! How the targets are doing. For operators.

use api::views::{Items, Target};
use api::{Auth, Call, Endpoint, Problem, Reply};
use domain::token::Scope;
use store::rows::now;
use store::{Aws, StoreError, Table};

pub struct TargetList {
    table: Table,
    auth: Auth,
}

impl Endpoint for TargetList {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            table: Table::from_env(&aws)?,
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        api::lookup::operator(&call.caller(&self.auth).await?, Scope::Read)?;
        let (mut items, mut skipped) = (Vec::new(), 0);
        for member in self.table.targets().roster().await?.roster.members {
            let status = self.table.targets().status(&member.name, now()).await?;
            skipped += status.skipped;
            items.push(Target::new(&member, &status, now()));
        }
        Reply::ok(&Items {
            items,
            next_cursor: None,
            skipped,
        })
    }
}
