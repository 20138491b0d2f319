//! `GET /v1/tokens`: the personal access tokens of the account.

mod handler;

use handler::TokenList;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(TokenList::from_env().await?).await
}
