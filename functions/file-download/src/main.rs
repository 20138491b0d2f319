//! `GET /v1/files/{id}/content`: redirects to a presigned URL of the bytes.

mod disposition;
mod handler;

use handler::FileDownload;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(FileDownload::from_env().await?).await
}
