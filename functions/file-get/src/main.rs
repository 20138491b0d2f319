//! `GET /v1/files/{id}`: a file with its replicas, or a folder.

mod handler;

use handler::FileGet;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(FileGet::from_env().await?).await
}
