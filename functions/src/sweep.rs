//! Schedule: repairs, expires and reclaims.

use crate::Trigger;
use lambda_runtime::Context;
use serde::de::IgnoredAny;
pub use service::sweep::Sweep;
use service::sweep::report::Report;
use store::StoreError;
use targets::ReplicaError;

impl Trigger for Sweep {
    type Event = IgnoredAny;
    type Answer = Report;
    type Error = ReplicaError;

    async fn from_env() -> Result<Self, StoreError> {
        Sweep::from_env().await
    }

    async fn run(&self, _: IgnoredAny, context: &Context) -> Result<Report, ReplicaError> {
        Sweep::run(self, crate::deadline(context)).await
    }
}
