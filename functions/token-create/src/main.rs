//! `POST /v1/tokens`: makes a personal access token.

mod handler;

use handler::TokenCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(TokenCreate::from_env().await?).await
}
