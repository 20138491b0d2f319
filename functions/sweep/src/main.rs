//! Schedule: repairs, expires and reclaims.

mod accounts;
mod blobs;
mod feed;
mod handler;
mod lane;
mod report;
mod targets;
mod transfers;

use handler::Sweep;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    let sweep = &Sweep::from_env().await?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        Ok::<_, Error>(sweep.run(edge::deadline(&event.context)).await?)
    }))
    .await
}
