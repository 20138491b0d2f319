//! `POST /v1/accounts`: registers a user.

mod handler;

use handler::AccountCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(AccountCreate::from_env().await?).await
}
