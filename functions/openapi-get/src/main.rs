//! `GET /v1/openapi.json`: the OpenAPI document of the API.

mod handler;

use handler::OpenapiGet;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::logging::init(env!("CARGO_CRATE_NAME"));
    edge::serve(OpenapiGet).await
}
