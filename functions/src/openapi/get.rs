//! The OpenAPI document, for anybody.

use crate::Function;
use api::{Handler, Problem, Request};
use store::{Environment, StoreError};
use wire::answer::Document;
use wire::openapi::Get;

pub static FUNCTION: Function = Function::served_by::<OpenapiGet>();

pub struct OpenapiGet;

impl Handler for OpenapiGet {
    type Endpoint = Get;

    async fn new(_: &Environment) -> Result<Self, StoreError> {
        Ok(Self)
    }

    async fn answer(&self, _: Request<Get>) -> Result<Document, Problem<Get>> {
        Ok(Document(include_str!("../../../docs/openapi.json")))
    }
}
