//! Has a target's failed replicas tried again. For operators.

use api::{Auth, Call, Endpoint, Problem, Reply, views};
use domain::id::TargetName;
use domain::token::Scope;
use service::target::redrive::{Redrive, Redriven};
use store::{Aws, DeadLetters, StartQueue, StoreError, Table};

pub struct TargetRedrive {
    redrive: Redrive,
    auth: Auth,
}

impl Endpoint for TargetRedrive {
    async fn from_env() -> Result<Self, StoreError> {
        let aws = Aws::from_env().await;
        Ok(Self {
            redrive: Redrive {
                table: Table::from_env(&aws)?,
                queue: StartQueue::from_env(&aws)?,
                dead_letters: DeadLetters::from_env(&aws)?,
            },
            auth: Auth::from_env(&aws).await?,
        })
    }

    async fn answer(&self, call: Call) -> Result<Reply, Problem> {
        api::lookup::operator(&call.caller(&self.auth).await?, Scope::Admin)?;
        let target: TargetName = call.id("target")?;
        let target = target.as_str();
        if self
            .redrive
            .table
            .targets()
            .roster()
            .await?
            .roster
            .member(target)
            .is_none()
        {
            return Err(Problem::not_found("target"));
        }
        let Redriven {
            redriven,
            more,
            skipped,
        } = self.redrive.run(target).await?;
        Reply::ok(&views::Redriven {
            redriven,
            more,
            skipped,
        })
    }
}
