//! `POST /v1/targets/{id}/redrive`: has a target's failed replicas tried again.

mod handler;

use handler::TargetRedrive;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(TargetRedrive::from_env().await?).await
}
