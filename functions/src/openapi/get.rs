//! The OpenAPI document, for whoever asks.

use api::{Call, Endpoint, Problem, Reply, openapi};
use store::StoreError;

pub struct OpenapiGet;

impl Endpoint for OpenapiGet {
    async fn from_env() -> Result<Self, StoreError> {
        Ok(Self)
    }

    async fn answer(&self, _: Call) -> Result<Reply, Problem> {
        Ok(Reply::public(openapi::TEXT))
    }
}
