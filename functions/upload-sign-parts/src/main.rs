//! `POST /v1/uploads/{id}/parts`: presigned requests that put parts.

mod handler;

use handler::UploadSignParts;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadSignParts::from_env().await?).await
}
