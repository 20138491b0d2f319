//! `DELETE /v1/tokens/{id}`: ends a personal access token.

mod handler;

use handler::TokenDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(TokenDelete::from_env().await?).await
}
