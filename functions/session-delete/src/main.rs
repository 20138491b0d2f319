//! `DELETE /v1/sessions/current`: signs out.

mod handler;

use handler::SessionDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(SessionDelete::from_env().await?).await
}
