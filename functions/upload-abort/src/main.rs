//! `DELETE /v1/uploads/{id}`: gives an upload up and its reservation back.

mod handler;

use handler::UploadAbort;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadAbort::from_env().await?).await
}
