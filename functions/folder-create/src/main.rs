//! `POST /v1/folders`: makes a folder.

mod handler;

use handler::FolderCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(FolderCreate::from_env().await?).await
}
