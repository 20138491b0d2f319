//! `GET /v1/files/{id}`: a file with its replicas, or a folder.

mod handler;

use handler::FileGet;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(FileGet::from_env().await?).await
}
