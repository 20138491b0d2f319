//! `POST /v1/sessions/refresh`: exchanges a refresh token for new tokens.

mod handler;

use handler::SessionRefresh;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(SessionRefresh::from_env().await?).await
}
