//! `PUT /v1/account/password`: changes the password.

mod handler;

use handler::AccountSetPassword;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(AccountSetPassword::from_env().await?).await
}
