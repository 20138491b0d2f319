//! `POST /v1/targets/{id}/redrive`: has a target's failed replicas tried again.

mod handler;

use handler::TargetRedrive;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(TargetRedrive::from_env().await?).await
}
