//! The OpenAPI document, for whoever asks.

use crate::{Exit, serve};
use api::{Call, Endpoint, Problem, Reply, openapi};
use store::StoreError;

/// The program.
///
/// # Errors
/// When it is not configured, or the Lambda runtime cannot be reached.
pub fn main() -> Exit {
    serve::<OpenapiGet>()
}

pub struct OpenapiGet;

impl Endpoint for OpenapiGet {
    async fn from_env() -> Result<Self, StoreError> {
        Ok(Self)
    }

    async fn answer(&self, _: Call) -> Result<Reply, Problem> {
        Ok(Reply::public(openapi::TEXT))
    }
}
