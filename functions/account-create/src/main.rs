//! `POST /v1/accounts`: registers a user.

mod handler;

use handler::AccountCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(AccountCreate::from_env().await?).await
}
