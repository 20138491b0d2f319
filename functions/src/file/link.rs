//! A presigned URL of the bytes, as JSON: a web page cannot read where a redirect leads.

use super::signed::signed;
use crate::Function;
use api::{Handler, Problem, Request};
use service::file::read_url::ReadUrls;
use store::{Environment, StoreError};
use wire::body::Json;
use wire::file::{Link, SignedLink};

pub static FUNCTION: Function = Function::served_by::<FileLink>();

pub struct FileLink {
    urls: ReadUrls,
}

impl Handler for FileLink {
    type Endpoint = Link;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            urls: ReadUrls::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Link>) -> Result<Json<SignedLink>, Problem<Link>> {
        let (file, there) = signed(
            &self.urls,
            &request.caller.id,
            &request.path,
            request.query.number,
        )
        .await?;
        Ok(Json(SignedLink {
            url: there.url,
            expires_at: there.expires_at,
            size: file.size,
            content_id: file.content_id,
        }))
    }
}
