//! `GET /v1/uploads`: the caller's uploads that have not ended.

mod handler;

use handler::UploadList;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadList::from_env().await?).await
}
