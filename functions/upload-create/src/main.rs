//! `POST /v1/uploads`: begins an upload, or completes it at once when the account has the bytes.

mod handler;

use handler::UploadCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadCreate::from_env().await?).await
}
