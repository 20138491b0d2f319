//! A request that may be carried out.

use crate::checksum::{Announced, Checksums};
use crate::rate_limiter::RateLimiter;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::service::Service;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;

/// A request that may be carried out.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) head: &'a Head,
    pub(crate) body: &'a mut Incoming,
    pub(crate) rate_limiter: &'a Arc<RateLimiter>,
    /// Whether a byte of the body is to be received as another one.
    pub(crate) corrupt: bool,
}

/// The longest XML that is read.
const MAX_XML: usize = 4 * 1024 * 1024;

impl Call<'_> {
    /// Reads a body of XML, which must be what the client says it is.
    pub(crate) async fn xml_body(&mut self) -> Result<Vec<u8>, Refusal> {
        let announced = Announced::of_md5(self.head)?;
        let mut checksums = Checksums::new();
        let mut text = Vec::new();
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Refusal::bad_request("IncompleteBody", error.to_string()))?;
            let Ok(bytes) = frame.into_data() else { continue };
            checksums.update(&bytes);
            text.extend(bytes);
            if text.len() > MAX_XML {
                return Err(Refusal::bad_request("MalformedXML", "The XML is too long."));
            }
        }
        announced.check(&checksums.finish())?;
        Ok(text)
    }
}
