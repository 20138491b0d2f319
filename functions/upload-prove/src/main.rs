//! `POST /v1/uploads/{id}/proof`: shows that the client has the bytes, which then need not be sent.

mod handler;

use handler::UploadProve;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(UploadProve::from_env().await?).await
}
