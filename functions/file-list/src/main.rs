//! `GET /v1/files`: the entries of a folder, by name.

mod handler;

use handler::FileList;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(FileList::from_env().await?).await
}
