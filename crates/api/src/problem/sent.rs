//! Problem documents as they are sent and logged.

use super::ProblemDocument;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::{Map, Value};
use wire::Code;
use wire::problem::TYPE_BASE;

impl ProblemDocument {
    pub(crate) fn log(&self) {
        let (status, code) = (self.code.status(), self.code.as_str());
        if let Some(cause) = &self.cause {
            tracing::error!(status, code, cause, "request failed");
        } else {
            tracing::info!(status, code, "request refused");
        }
    }

    /// The members of the document.
    pub(super) fn members(&self) -> Map<String, Value> {
        let members = [
            ("type", format!("{TYPE_BASE}{}", self.code.as_str()).into()),
            ("title", self.code.title().into()),
            ("status", self.code.status().into()),
            ("code", self.code.as_str().into()),
            ("detail", self.detail.as_str().into()),
            ("message", self.detail.as_str().into()),
        ];
        let members = members.map(|(name, value): (&str, Value)| (name.to_owned(), value));
        members.into_iter().chain(self.extra.clone()).collect()
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let document = Value::Object(self.members());
        let mut response = Response::new(Body::Text(document.to_string()));
        let status = StatusCode::from_u16(self.code.status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
