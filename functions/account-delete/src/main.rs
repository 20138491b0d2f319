//! `DELETE /v1/account`: deletes the account.

mod handler;

use handler::AccountDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(AccountDelete::from_env().await?).await
}
