//! `POST /v1/sessions`: signs in.

mod handler;

use handler::SessionCreate;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(SessionCreate::from_env().await?).await
}
