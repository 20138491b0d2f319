//! `DELETE /v1/files/{id}`: deletes a file or an empty folder.

mod handler;

use handler::FileDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(FileDelete::from_env().await?).await
}
