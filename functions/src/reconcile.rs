//! Schedule: compares bucket and table, reports and repairs.

use crate::{Exit, Trigger, run};
use lambda_runtime::Context;
use serde::de::IgnoredAny;
pub use service::reconcile::Reconcile;
use service::reconcile::Report;
use store::StoreError;

pub fn main() -> Exit {
    run::<Reconcile>()
}

impl Trigger for Reconcile {
    type Input = IgnoredAny;
    type Output = Report;
    type Error = StoreError;

    async fn from_env() -> Result<Self, StoreError> {
        Reconcile::from_env().await
    }

    async fn run(&self, _: IgnoredAny, context: &Context) -> Result<Report, StoreError> {
        Reconcile::run(self, crate::deadline(context)).await
    }
}
