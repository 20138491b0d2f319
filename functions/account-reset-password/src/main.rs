//! `POST /v1/accounts/password`: sets a forgotten password anew.

mod handler;

use handler::AccountResetPassword;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(AccountResetPassword::from_env().await?).await
}
