//! Has a target's failed replicas tried again. For operators.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{DeadLetters, Environment, StartQueue, StoreError, Table};
use wire::body::Json;
use wire::target::{Redrive, Redriven};

pub static FUNCTION: Function = Function::served_by::<TargetRedrive>();

pub struct TargetRedrive {
    redrive: service::target::redrive::Redrive,
}

impl Handler for TargetRedrive {
    type Endpoint = Redrive;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        let redrive = service::target::redrive::Redrive {
            table: Table::from_env(environment)?,
            queue: StartQueue::from_env(environment)?,
            dead_letters: DeadLetters::from_env(environment)?,
        };
        Ok(Self { redrive })
    }

    async fn answer(&self, request: Request<Redrive>) -> Result<Json<Redriven>, Problem<Redrive>> {
        let target = request.path.as_str();
        let table = &self.redrive.table;
        if table
            .targets()
            .target_registry()
            .await?
            .target_registry
            .member(target)
            .is_none()
        {
            return Err(Problem::not_found("target"));
        }
        let done = self.redrive.run(target).await?;
        Ok(Json(Redriven {
            redriven: done.redriven,
            more: done.more,
            skipped: done.skipped,
        }))
    }
}
