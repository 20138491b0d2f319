//! Schedule: repairs, expires and reclaims.

use crate::{Function, Invocation, Trigger};
use serde::de::IgnoredAny;
pub use service::sweep::Sweep;
use service::sweep::report::Report;
use store::{Environment, StoreError};
use targets::ReplicaError;

pub static FUNCTION: Function = Function::triggered::<Sweep>();

impl Trigger for Sweep {
    type Input = IgnoredAny;
    type Output = Report;
    type Error = ReplicaError;

    fn new(environment: &Environment) -> Result<Self, StoreError> {
        Sweep::from_env(environment)
    }

    async fn run(&self, _: IgnoredAny, invocation: Invocation) -> Result<Report, ReplicaError> {
        Sweep::run(self, invocation.deadline).await
    }
}
