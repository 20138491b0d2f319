//! `DELETE /v1/sessions`: signs out everywhere.

mod handler;

use handler::SessionDeleteAll;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(SessionDeleteAll::from_env().await?).await
}
