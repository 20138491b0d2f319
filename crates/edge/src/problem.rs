//! Errors as RFC 9457 problem documents.

use domain::token::Scope;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::{Map, Value, json};
use store::{Conflict, StoreError};

/// What codes are made URIs with. They need not resolve (RFC 9457, section 3.1.1).
const TYPE_BASE: &str = "https://longshore.dev/problems/";

/// An answer that says what is wrong and what to do. It cannot be a success.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    extra: Map<String, Value>,
    retry_after_seconds: Option<u32>,
    /// For the log only.
    cause: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let (extra, detail) = (Map::new(), detail.into());
        Self {
            status,
            code,
            title,
            detail,
            extra,
            retry_after_seconds: None,
            cause: None,
        }
    }

    /// The body is not JSON.
    pub fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            "The body is not valid JSON",
            detail,
        )
    }

    /// A field is not what it should be.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The request is not valid",
            detail,
        )
        .with("field", field)
    }

    /// The body is too large.
    #[must_use]
    pub fn payload_too_large(limit: usize) -> Self {
        let detail = format!("the body of a request may have at most {limit} bytes");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            "The body is too large",
            detail,
        )
    }

    /// No valid token.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Sign in first", detail)
    }

    /// There is none, or it is not the caller's: the two cannot be told apart.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}");
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    /// The request contradicts what there is.
    pub fn conflict(code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }

    /// An idempotency key came again with another request.
    #[must_use]
    pub fn key_reused() -> Self {
        let detail =
            "the Idempotency-Key was used for a request with another body; use a new key for a new request";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "The key belongs to another request",
            detail,
        )
    }

    /// No room.
    #[must_use]
    pub fn quota_exceeded(quota: &domain::account::Quota, wanted: u64) -> Self {
        let free = quota.free.max(0);
        let detail = format!(
            "the file has {wanted} bytes, {free} of {} are free; delete files or abort open uploads",
            quota.limit
        );
        Self::new(
            StatusCode::FORBIDDEN,
            "quota_exceeded",
            "The quota does not allow it",
            detail,
        )
        .with("quota_bytes", quota.limit)
        .with("used_bytes", quota.used())
        .with("free_bytes", free)
        .with("wanted_bytes", wanted)
    }

    /// The password that has to be given once more is wrong. Not a 401: the token is good.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "wrong_password",
            "The password is wrong",
            "\"current_password\" is not the account's password",
        )
    }

    /// The account may not do this.
    #[must_use]
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// The token is good, but not for this (RFC 6750, section 3.1).
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        let scope = scope.as_str();
        let detail = format!("this wants a token with the scope \"{scope}\"");
        let problem = Self::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The token is not for this",
            detail,
        );
        problem.with("scope", scope)
    }

    /// The file's bytes are lost, and no replica answers.
    #[must_use]
    pub fn bytes_unavailable() -> Self {
        let detail = "the primary store has lost the file's bytes, and no replica of them can be reached now; \
                      try again later, or ask who operates this store";
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "bytes_unavailable",
            "The bytes are not available",
            detail,
        );
        Self {
            retry_after_seconds: Some(60),
            ..problem
        }
    }

    fn unavailable(cause: String) -> Self {
        let detail = "a service that Longshore depends on did not answer; try again in a moment";
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Temporarily unavailable",
            detail,
        );
        Self {
            retry_after_seconds: Some(1),
            cause: Some(cause),
            ..problem
        }
    }

    fn internal(cause: String) -> Self {
        let detail = "this is a fault of Longshore; the log of the function has the details";
        let problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong",
            detail,
        );
        Self {
            cause: Some(cause),
            ..problem
        }
    }

    /// Adds a member that programs can read.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The HTTP status, always an error.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(
                status = self.status.as_u16(),
                code = self.code,
                cause,
                "request failed"
            );
        } else {
            tracing::info!(status = self.status.as_u16(), code = self.code, "request refused");
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut document = json!({
            "type": format!("{TYPE_BASE}{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "message": self.detail,
        });
        if let Value::Object(members) = &mut document {
            members.extend(self.extra);
        }
        let mut response = Response::new(Body::Text(document.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("no-store"),
        );
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}

impl From<Conflict> for Problem {
    fn from(conflict: Conflict) -> Self {
        let changed = "something else changed it at the same time; look again and repeat";
        match conflict {
            Conflict::UsernameTaken => Self::conflict(
                "username_taken",
                "The username is taken",
                "choose another username",
            ),
            Conflict::NameTaken => Self::conflict(
                "name_taken",
                "The name is taken",
                "the folder has an entry of this name; choose another name, or delete the entry first",
            ),
            Conflict::ParentGone => Self::conflict(
                "parent_not_found",
                "The folder does not exist",
                "\"parent\" is not the id of a folder of yours; it may have been deleted meanwhile",
            ),
            Conflict::FolderNotEmpty => Self::conflict(
                "folder_not_empty",
                "The folder is not empty",
                "delete what is in the folder first",
            ),
            Conflict::QuotaExceeded => Self::new(
                StatusCode::FORBIDDEN,
                "quota_exceeded",
                "The quota does not allow it",
                changed,
            ),
            Conflict::AccountChanged
            | Conflict::SessionChanged
            | Conflict::NodeChanged
            | Conflict::UploadChanged
            | Conflict::ContentExists
            | Conflict::BlobGone
            | Conflict::BlobChanged
            | Conflict::KeyUsed
            | Conflict::ReplicaChanged => Self::conflict("changed_meanwhile", "Changed meanwhile", changed),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(conflict) => conflict.into(),
            // What we may not do or asked wrongly will not be better in a moment.
            StoreError::Remote {
                code: Some(ref code), ..
            } if code.starts_with("AccessDenied") || code.starts_with("Validation") => {
                Self::internal(error.for_log())
            }
            StoreError::Remote { .. } => Self::unavailable(error.for_log()),
            StoreError::Corrupt(_) | StoreError::Misconfigured(_) => Self::internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do_and_hides_its_cause() {
        let error = StoreError::Corrupt("row ACCOUNT#1 is odd".into());
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let Body::Text(text) = response.body() else {
            panic!("no text")
        };
        assert!(!text.contains("ACCOUNT#1"));
        let document: Value = serde_json::from_str(text).unwrap();
        assert_eq!(document["code"], "internal");
        assert_eq!(document["type"], "https://longshore.dev/problems/internal");
        assert_eq!(document["message"], document["detail"]);
    }
}
