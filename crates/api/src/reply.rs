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
/// `ErrorKind::Internal` when it cannot be written as JSON.
pub(crate) fn write(answer: &impl Answer) -> Result<Written, StoreError> {
    answer
        .write()
        .map_err(|e| StoreError::internal("writing an answer", e))
}

impl Reply {
    /// # Errors
    /// `ErrorKind::Internal` when a header has what no header can have.
    pub(crate) fn new(written: Written) -> Result<Self, StoreError> {
        Self::of(written).map_err(|e| StoreError::internal("writing an answer", e))
    }

    fn of(written: Written) -> Result<Self, lambda_http::http::Error> {
        let status = StatusCode::from_u16(written.status)?;
        let mut response = Response::new(Body::Empty);
        let headers = response.headers_mut();
        if status != StatusCode::NO_CONTENT {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for (name, value) in &written.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
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
        let written = Written {
            status,
            headers,
            body: Some(answer),
        };
        Self::of(written).map_err(|e| StoreError::corrupt(format!("an answer to an idempotency key: {e}")))
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        self.response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::ErrorKind;

    #[test]
    fn only_an_answer_that_was_stored_can_be_corrupt() {
        let new = Reply::new(Written {
            status: 200,
            headers: vec![("location", "/v1/\n".to_owned())],
            body: None,
        });
        assert_eq!(new.unwrap_err().kind, ErrorKind::Internal);
        let again = |status, location: &str| Reply::again(status, location.to_owned(), String::new());
        assert!(again(201, "/v1/files/a").is_ok());
        assert_eq!(again(1, "/v1/files/a").unwrap_err().kind, ErrorKind::Corrupt);
        assert_eq!(again(201, "/v1/\n").unwrap_err().kind, ErrorKind::Corrupt);
    }
}
