//! `DELETE /v1/tokens/{id}`: ends a personal access token.

mod handler;

use handler::TokenDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(TokenDelete::from_env().await?).await
}
