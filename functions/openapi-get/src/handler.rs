//! The OpenAPI document, for whoever asks.

use edge::{Call, Endpoint, Problem, Reply, openapi};

pub(crate) struct OpenapiGet;

impl Endpoint for OpenapiGet {
    async fn answer(&self, _: Call) -> Result<Reply, Problem> {
        Ok(Reply::public(openapi::TEXT))
    }
}
