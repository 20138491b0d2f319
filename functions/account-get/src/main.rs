//! `GET /v1/account`: the caller's account, with what it uses of its quota.

mod handler;

use handler::AccountGet;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(AccountGet::from_env().await?).await
}
