//! Redirects to a presigned URL of the bytes.

use super::signed::signed;
use crate::Function;
use api::{Handler, Problem, Request};
use service::file::read_url::ReadUrls;
use store::{Environment, StoreError};
use wire::answer::Redirect;
use wire::file::Download;

pub static FUNCTION: Function = Function::served_by::<FileDownload>();

pub struct FileDownload {
    urls: ReadUrls,
}

impl Handler for FileDownload {
    type Endpoint = Download;

    async fn new(environment: &Environment) -> Result<Self, StoreError> {
        Ok(Self {
            urls: ReadUrls::from_env(environment)?,
        })
    }

    async fn answer(&self, request: Request<Download>) -> Result<Redirect, Problem<Download>> {
        let (_, there) = signed(
            &self.urls,
            &request.caller.id,
            &request.path,
            request.query.number,
        )
        .await?;
        Ok(Redirect(there.url))
    }
}
