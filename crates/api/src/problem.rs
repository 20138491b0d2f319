//! Errors as RFC 9457 problem documents.

use domain::placement::MAX_DEPTH;
use domain::token::Scope;
use jiff::SignedDuration;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::{Map, Value, json};
use store::{Conflict, ErrorKind, StoreError};

/// What codes are made URIs with. They need not resolve (RFC 9457, section 3.1.1).
const TYPE_BASE: &str = "https://longshore.dev/problems/";

macro_rules! codes {
    ($($variant:ident: $text:literal, $status:ident, $title:literal, $doc:literal;)*) => {
        /// What can be wrong, as programs tell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }

        impl Code {
            /// All there are.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written in answers.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The HTTP status that goes with it, always an error.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// In which case it is answered.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
            }
        }
    };
}

codes! {
    MalformedJson: "malformed_json", BAD_REQUEST, "The body is not valid JSON", "The body is not JSON.";
    InvalidRequest: "invalid_request", BAD_REQUEST, "The request is not valid", "A field, a parameter or a header is not what it should be.";
    Unauthorized: "unauthorized", UNAUTHORIZED, "Sign in first", "No token, or none that is good.";
    Forbidden: "forbidden", FORBIDDEN, "Not allowed", "The account may not do this, or not with a personal access token.";
    InsufficientScope: "insufficient_scope", FORBIDDEN, "The token is not for this", "The token is good, but not for this (RFC 6750, section 3.1).";
    WrongPassword: "wrong_password", FORBIDDEN, "The password is wrong", "The password that has to be given once more is another one. Not a 401: the token is good.";
    InvitationRequired: "invitation_required", FORBIDDEN, "An invitation is needed", "Signing up is closed here: it wants the code of an invitation.";
    InvitationInvalid: "invitation_invalid", FORBIDDEN, "The code cannot be used", "The code is wrong, or was used, or is not good any more, or is for something else: these cannot be told apart.";
    QuotaExceeded: "quota_exceeded", FORBIDDEN, "The quota does not allow it", "The account has no room.";
    NotFound: "not_found", NOT_FOUND, "Not found", "There is none, or it is not the caller's: the two cannot be told apart.";
    UsernameTaken: "username_taken", CONFLICT, "The username is taken", "Another account has the username.";
    NameTaken: "name_taken", CONFLICT, "The name is taken", "The folder has an entry of this name.";
    ParentNotFound: "parent_not_found", CONFLICT, "The folder does not exist", "The folder that it should go to is not there.";
    TooDeep: "too_deep", CONFLICT, "The folder would be too deep", "Folders are within each other as deep as they may be.";
    Unreadable: "unreadable", CONFLICT, "It cannot be read", "What is stored of it cannot be read. Trying again does not help; whoever operates the store finds the key in the log.";
    FolderNotEmpty: "folder_not_empty", CONFLICT, "The folder is not empty", "The folder has entries.";
    UploadNotOpen: "upload_not_open", CONFLICT, "The upload is not open", "The upload cannot be worked on (any more).";
    PartsMissing: "parts_missing", CONFLICT, "Parts are missing", "Not all parts have arrived.";
    ContentMismatch: "content_mismatch", CONFLICT, "Other bytes than announced", "The parts are not what the content id says.";
    ChangedMeanwhile: "changed_meanwhile", CONFLICT, "Changed meanwhile", "Somebody else was faster.";
    PayloadTooLarge: "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large", "The body is too large.";
    KeyReused: "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key belongs to another request", "An idempotency key came again with another request.";
    TooManyRequests: "too_many_requests", TOO_MANY_REQUESTS, "Too many requests", "Too often.";
    Internal: "internal", INTERNAL_SERVER_ERROR, "Something went wrong", "A fault of Longshore.";
    Unavailable: "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable", "Something that Longshore depends on did not answer.";
    BytesUnavailable: "bytes_unavailable", SERVICE_UNAVAILABLE, "The bytes are not available", "The file's bytes are lost, and no replica answers.";
}

/// An answer that says what is wrong and what to do. It cannot be a success.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    extra: Map<String, Value>,
    retry_after_seconds: Option<u32>,
    /// For the log only.
    cause: Option<String>,
}

impl Problem {
    /// A problem of this kind, and what to do about it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            extra: Map::new(),
            retry_after_seconds: None,
            cause: None,
        }
    }

    /// The body is not JSON.
    pub fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedJson, detail)
    }

    /// A field is not what it should be.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail).with("field", field)
    }

    /// The body is too large.
    #[must_use]
    pub fn payload_too_large(limit: usize) -> Self {
        let detail = format!("the body of a request may have at most {limit} bytes");
        Self::new(Code::PayloadTooLarge, detail)
    }

    /// No valid token.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Code::Unauthorized, detail)
    }

    /// There is none, or it is not the caller's: the two cannot be told apart.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}");
        Self::new(Code::NotFound, detail)
    }

    /// An idempotency key came again with another request.
    #[must_use]
    pub fn key_reused() -> Self {
        let detail =
            "the Idempotency-Key was used for a request with another body; use a new key for a new request";
        Self::new(Code::KeyReused, detail)
    }

    /// No room.
    #[must_use]
    pub fn quota_exceeded(quota: &domain::account::Quota, wanted: u64) -> Self {
        let free = quota.free.max(0);
        let detail = format!(
            "the file has {wanted} bytes, {free} of {} are free; delete files or abort open uploads",
            quota.limit
        );
        Self::new(Code::QuotaExceeded, detail)
            .with("quota_bytes", quota.limit)
            .with("used_bytes", quota.used())
            .with("free_bytes", free)
            .with("wanted_bytes", wanted)
    }

    /// The password that has to be given once more is wrong. Not a 401: the token is good.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::new(
            Code::WrongPassword,
            "\"current_password\" is not the account's password",
        )
    }

    /// Signing up wants an invitation, and there was none.
    #[must_use]
    pub fn invitation_required() -> Self {
        Self::new(
            Code::InvitationRequired,
            "accounts are made by invitation here; ask who operates this store for a code, and send it as \"invitation\"",
        )
    }

    /// The code of an invitation is good for nothing, whatever the reason.
    #[must_use]
    pub fn invitation_invalid() -> Self {
        Self::new(
            Code::InvitationInvalid,
            "this code cannot be used here: it may be mistyped, used, revoked, expired, or for another purpose or name; ask for a \
             new one",
        )
    }

    /// The account may not do this.
    #[must_use]
    pub fn forbidden(detail: &str) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// The token is good, but not for this (RFC 6750, section 3.1).
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        let scope = scope.as_str();
        let detail = format!("this wants a token with the scope \"{scope}\"");
        let problem = Self::new(Code::InsufficientScope, detail);
        problem.with("scope", scope)
    }

    /// Too often; again after `wait`.
    #[must_use]
    pub fn too_many_requests(wait: SignedDuration) -> Self {
        // Not a moment too early.
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
        let problem = Self::new(
            Code::TooManyRequests,
            format!("this was tried too often; try again in {seconds} seconds"),
        );
        Self {
            retry_after_seconds: Some(seconds),
            ..problem
        }
    }

    /// The file's bytes are lost, and no replica answers.
    #[must_use]
    pub fn bytes_unavailable() -> Self {
        let detail = "the primary store has lost the file's bytes, and no replica of them can be reached now; \
                      try again later, or ask who operates this store";
        let problem = Self::new(Code::BytesUnavailable, detail);
        Self {
            retry_after_seconds: Some(60),
            ..problem
        }
    }

    fn unavailable(cause: String) -> Self {
        let detail = "a service that Longshore depends on did not answer; try again in a moment";
        let problem = Self::new(Code::Unavailable, detail);
        Self {
            retry_after_seconds: Some(1),
            cause: Some(cause),
            ..problem
        }
    }

    fn internal(cause: String) -> Self {
        let detail = "this is a fault of Longshore; the log of the function has the details";
        let problem = Self::new(Code::Internal, detail);
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

    /// What is wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(
                status = self.code.status().as_u16(),
                code = self.code.as_str(),
                cause,
                "request failed"
            );
        } else {
            tracing::info!(
                status = self.code.status().as_u16(),
                code = self.code.as_str(),
                "request refused"
            );
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut document = json!({
            "type": format!("{TYPE_BASE}{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
            "message": self.detail,
        });
        if let Value::Object(members) = &mut document {
            members.extend(self.extra);
        }
        let mut response = Response::new(Body::Text(document.to_string()));
        *response.status_mut() = self.code.status();
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
        if self.code == Code::Unauthorized {
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
            Conflict::UsernameTaken => Self::new(Code::UsernameTaken, "choose another username"),
            Conflict::NameTaken => Self::new(
                Code::NameTaken,
                "the folder has an entry of this name; choose another name, or delete the entry first",
            ),
            Conflict::ParentGone => Self::new(
                Code::ParentNotFound,
                "\"parent\" is not the id of a folder of yours; it may have been deleted meanwhile",
            ),
            Conflict::TooDeep => {
                let detail =
                    format!("folders are at most {MAX_DEPTH} deep; choose a \"parent\" nearer to the top");
                Self::new(Code::TooDeep, detail).with("max_depth", MAX_DEPTH)
            }
            Conflict::FolderNotEmpty => Self::new(Code::FolderNotEmpty, "delete what is in the folder first"),
            Conflict::InvitationGone => Self::invitation_invalid(),
            Conflict::QuotaExceeded => Self::new(Code::QuotaExceeded, changed),
            Conflict::AccountChanged
            | Conflict::SessionChanged
            | Conflict::NodeChanged
            | Conflict::UploadChanged
            | Conflict::ContentExists
            | Conflict::BlobGone
            | Conflict::BlobChanged
            | Conflict::KeyUsed
            | Conflict::PartsChanged
            | Conflict::ReplicaChanged => Self::new(Code::ChangedMeanwhile, changed),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.kind {
            ErrorKind::Conflict(conflict) => conflict.into(),
            ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::NotFound => {
                Self::unavailable(error.for_log())
            }
            // What we may not do or asked wrongly will not be better in a moment.
            ErrorKind::Invalid
            | ErrorKind::Denied
            | ErrorKind::Corrupt
            | ErrorKind::Misconfigured
            | ErrorKind::Internal => Self::internal(error.for_log()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// `docs/architecture.md` has each code, with its status, and no other.
    #[test]
    fn the_codes_in_the_documents_are_those_that_are_answered() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/architecture.md"));
        let text = std::fs::read_to_string(file).unwrap();
        let table = text.split_once("| status | codes |\n").unwrap().1;
        let mut said = BTreeSet::new();
        for row in table.lines().skip(1).map_while(|line| line.strip_prefix("| ")) {
            let (status, codes) = row.split_once(" | ").unwrap();
            // What is in brackets is what comes with a code.
            let codes = codes.split(['(', ')']).step_by(2);
            let codes = codes.flat_map(|codes| codes.split('`').skip(1).step_by(2));
            said.extend(codes.map(|code| (status.parse().unwrap(), code.to_owned())));
        }
        let answered = Code::ALL
            .iter()
            .map(|code| (code.status().as_u16(), code.as_str().to_owned()));
        assert_eq!(said, answered.collect::<BTreeSet<(u16, String)>>());
    }

    #[test]
    fn who_waits_as_long_as_he_is_told_does_not_come_too_early() {
        let told = |milliseconds| {
            let problem = Problem::too_many_requests(SignedDuration::from_millis(milliseconds));
            problem.into_response().headers()["retry-after"].clone()
        };
        assert_eq!(told(1), "1");
        assert_eq!(told(1000), "1");
        assert_eq!(told(1001), "2");
        assert_eq!(told(3_600_000), "3600");
    }

    #[test]
    fn a_problem_says_what_to_do_and_hides_its_cause() {
        let error = StoreError::corrupt("row ACCOUNT#1 is odd");
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
