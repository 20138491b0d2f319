//! `POST /v1/sessions/refresh`: exchanges a refresh token for new tokens.

mod handler;

use handler::SessionRefresh;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(SessionRefresh::from_env().await?).await
}
