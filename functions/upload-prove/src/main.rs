//! `POST /v1/uploads/{id}/proof`: shows that the client has the bytes, which then need not be sent.

mod handler;

use handler::UploadProve;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(UploadProve::from_env().await?).await
}
