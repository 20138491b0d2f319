//! `GET /v1/targets`: how the targets are doing.

mod handler;

use handler::TargetList;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(TargetList::from_env().await?).await
}
