//! `DELETE /v1/sessions/current`: signs out.

mod handler;

use handler::SessionDelete;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logging();
    edge::serve(SessionDelete::from_env().await?).await
}
