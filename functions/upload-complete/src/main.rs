//! `POST /v1/uploads/{id}/complete`: turns the parts into a file.

mod handler;

use handler::UploadComplete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadComplete::from_env().await?).await
}
