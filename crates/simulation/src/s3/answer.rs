//! An answer, before it is one of HTTP.

use super::document;
use super::refusal::Refusal;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// Status, headers and body.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    /// Only where it is not that of the body: of what a HEAD asks for.
    length: Option<u64>,
    body: Bytes,
}

impl Answer {
    /// No headers, no body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::with_body(status, Bytes::new())
    }

    /// No headers.
    pub(crate) fn with_body(status: StatusCode, body: Bytes) -> Self {
        Self {
            status,
            headers: Vec::new(),
            length: None,
            body,
        }
    }

    /// A document of XML, with this root.
    pub(crate) fn document(root: &str, content: &impl Serialize) -> Result<Self, Refusal> {
        let text = document::write(root, content)?;
        let answer = Self::with_body(StatusCode::OK, Bytes::from(text));
        Ok(answer.header(CONTENT_TYPE, "application/xml"))
    }

    /// An error document.
    pub(crate) fn refused(refusal: Refusal, request_id: &str) -> Self {
        let Refusal {
            status,
            code,
            message,
            details: mut elements,
        } = refusal;
        elements.insert("Code", code.to_owned());
        elements.insert("Message", message);
        elements.insert("RequestId", request_id.to_owned());
        match Self::document("Error", &elements) {
            Ok(document) => Self { status, ..document },
            Err(_) => Self::empty(status),
        }
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a header, if it has a value.
    pub(crate) fn header_if(self, name: HeaderName, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// The same with the length of a body that is not sent.
    pub(crate) fn length(self, length: u64) -> Self {
        Self {
            length: Some(length),
            ..self
        }
    }

    /// The answer of HTTP. To a HEAD it has no body.
    pub(crate) fn response(self, request_id: &str, is_head: bool) -> Response<Bytes> {
        let length = match self.length {
            Some(length) => length.to_string(),
            None => self.body.len().to_string(),
        };
        let body = if is_head { Bytes::new() } else { self.body };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let own = [
            (HeaderName::from_static("x-amz-request-id"), request_id.to_owned()),
            (CONTENT_LENGTH, length),
        ];
        let has_length = self.status != StatusCode::NO_CONTENT;
        for (name, value) in self.headers.into_iter().chain(own) {
            if name == CONTENT_LENGTH && !has_length {
                continue;
            }
            match HeaderValue::try_from(value) {
                Ok(value) => response.headers_mut().insert(name, value),
                // Everything that comes from outside was a header before, or was checked.
                Err(_) => {
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    None
                }
            };
        }
        response
    }
}
