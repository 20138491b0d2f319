//! Schedule: compares bucket and table, reports and repairs.

use crate::{Function, Invocation, Trigger};
use serde::de::IgnoredAny;
pub use service::reconcile::Reconcile;
use service::reconcile::Report;
use store::{Environment, StoreError};

pub static FUNCTION: Function = Function::triggered::<Reconcile>();

impl Trigger for Reconcile {
    type Input = IgnoredAny;
    type Output = Report;
    type Error = StoreError;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        Reconcile::from_env(environment)
    }

    async fn run(&self, _: IgnoredAny, invocation: Invocation) -> Result<Report, StoreError> {
        Reconcile::run(self, invocation.deadline).await
    }
}
