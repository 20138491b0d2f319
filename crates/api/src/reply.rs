//! Answers that are no errors.

use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use store::StoreError;
use wire::Answer;
use wire::answer::Written;

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    response: Response<Body>,
}

/// What an endpoint answers, as it is sent.
///
/// # Errors
/// `ErrorKind::Corrupt` when it cannot be written as JSON.
pub(crate) fn write(answer: &impl Answer) -> Result<Written, StoreError> {
    answer
        .write()
        .map_err(|e| StoreError::internal("writing an answer", e))
}

impl Reply {
    /// # Errors
    /// `ErrorKind::Corrupt` when a header has what no header can have.
    pub(crate) fn new(written: Written) -> Result<Self, StoreError> {
        let corrupt = |e: &dyn ToString| StoreError::corrupt(e.to_string());
        let status = StatusCode::from_u16(written.status).map_err(|e| corrupt(&e))?;
        let mut response = Response::new(Body::Empty);
        let headers = response.headers_mut();
        if status != StatusCode::NO_CONTENT {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for (name, value) in &written.headers {
            let value = HeaderValue::from_str(value).map_err(|e| corrupt(&e))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Some(text) = written.body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = Body::Text(text);
        }
        *response.status_mut() = status;
        Ok(Self { response })
    }

    /// What was answered before, once more.
    ///
    /// # Errors
    /// `ErrorKind::Corrupt` when it cannot have been answered.
    pub(crate) fn again(status: u16, location: String, answer: String) -> Result<Self, StoreError> {
        let headers = vec![
            ("location", location),
            ("idempotency-replayed", "true".to_owned()),
        ];
        Self::new(Written {
            status,
            headers,
            body: Some(answer),
        })
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        self.response
    }
}
