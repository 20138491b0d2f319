//! Answers that are no errors.

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Problem;

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    response: Response<Body>,
}

impl Reply {
    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let text =
            serde_json::to_string(body).map_err(|e| store::StoreError::internal("writing an answer", e))?;
        Ok(Self::text(status, text))
    }

    fn text(status: StatusCode, text: String) -> Self {
        let mut response = Response::new(Body::Text(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { response }
    }

    /// 200 with a JSON text that is the same for everybody, and for a while.
    #[must_use]
    pub fn public(text: &'static str) -> Self {
        let mut reply = Self::text(StatusCode::OK, text.to_owned());
        let headers = reply.response.headers_mut();
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        );
        reply
    }

    fn at(mut self, location: &str) -> Result<Self, Problem> {
        let value = HeaderValue::from_str(location)
            .map_err(|e| store::StoreError::internal("writing an answer", e))?;
        self.response.headers_mut().insert(header::LOCATION, value);
        Ok(self)
    }

    /// 200 with a body.
    ///
    /// # Errors
    /// A [`Problem`] when the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a body, and where it can be read again.
    ///
    /// # Errors
    /// A [`Problem`] when the body cannot be written as JSON.
    pub fn created(location: &str, body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::CREATED, body)?.at(location)
    }

    /// 200 with a body, and where it can be read again.
    ///
    /// # Errors
    /// A [`Problem`] when the body cannot be written as JSON.
    pub fn ok_at(location: &str, body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)?.at(location)
    }

    /// What was answered before, once more.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot have been answered.
    pub(crate) fn again(status: u16, location: &str, answer: String) -> Result<Self, Problem> {
        let status =
            StatusCode::from_u16(status).map_err(|e| store::StoreError::internal("writing an answer", e))?;
        let mut reply = Self::text(status, answer).at(location)?;
        let headers = reply.response.headers_mut();
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(reply)
    }

    /// Status, `Location` and body, for those who remember them.
    pub(crate) fn parts(&self) -> (u16, &str, &str) {
        let location = self.response.headers().get(header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let text = match self.response.body() {
            Body::Text(text) => text,
            _ => "",
        };
        (self.response.status().as_u16(), location, text)
    }

    /// 202 with a body: it goes on, ask again.
    ///
    /// # Errors
    /// A [`Problem`] when the body cannot be written as JSON.
    pub fn accepted(location: &str, body: &impl Serialize) -> Result<Self, Problem> {
        let mut reply = Self::json(StatusCode::ACCEPTED, body)?.at(location)?;
        reply
            .response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        Ok(reply)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        Self { response }
    }

    /// 307 to another address, which must not be cached.
    ///
    /// # Errors
    /// A [`Problem`] when the address is no header value.
    pub fn redirect(location: &str) -> Result<Self, Problem> {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { response }.at(location)
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        self.response
    }
}
