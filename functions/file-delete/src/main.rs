//! `DELETE /v1/files/{id}`: deletes a file or an empty folder.

mod handler;

use handler::FileDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(FileDelete::from_env().await?).await
}
