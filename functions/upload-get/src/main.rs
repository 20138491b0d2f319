//! `GET /v1/uploads/{id}`: the state of an upload, and which parts the store has.

mod handler;

use handler::UploadGet;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadGet::from_env().await?).await
}
