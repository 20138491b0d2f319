//! Schedule: repairs, expires and reclaims.

use crate::{Exit, Trigger, run};
use lambda_runtime::Context;
use serde::de::IgnoredAny;
pub use service::sweep::Sweep;
use service::sweep::report::Report;
use store::StoreError;
use targets::ReplicaError;

pub fn main() -> Exit {
    run::<Sweep>()
}

impl Trigger for Sweep {
    type Input = IgnoredAny;
    type Output = Report;
    type Error = ReplicaError;

    async fn from_env() -> Result<Self, StoreError> {
        Sweep::from_env().await
    }

    async fn run(&self, _: IgnoredAny, context: &Context) -> Result<Report, ReplicaError> {
        Sweep::run(self, crate::deadline(context)).await
    }
}
