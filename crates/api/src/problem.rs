//! Errors as RFC 9457 problem documents.
//!
//! A handler answers a [`Problem`] of its endpoint, which can have no code that the endpoint does not declare. What is sent is a
//! [`ProblemDocument`].

mod sent;

use domain::account::{Quota, Used};
use domain::placement::MAX_DEPTH;
use domain::token::Scope;
use domain::versions::MOST_KEPT;
use jiff::SignedDuration;
use serde_json::{Map, Value};
use std::marker::PhantomData;
use store::{Conflict, ErrorKind, StoreError};
use wire::problem::AsCode;
use wire::{Code, Declares, Endpoint, code};

/// An answer that says what is wrong and what to do. It cannot be a success.
#[derive(Debug)]
pub struct ProblemDocument {
    code: Code,
    detail: String,
    extra: Map<String, Value>,
    retry_after_seconds: Option<u32>,
    /// For the log only.
    cause: Option<String>,
}

impl ProblemDocument {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            extra: Map::new(),
            retry_after_seconds: None,
            cause: None,
        }
    }

    pub(crate) fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedJson, detail)
    }

    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail).with("field", field)
    }

    pub(crate) fn payload_too_large(limit: usize) -> Self {
        let detail = format!("the body of a request may have at most {limit} bytes");
        Self::new(Code::PayloadTooLarge, detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(Code::Unauthorized, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// An idempotency key came again with another request.
    pub(crate) fn key_reused() -> Self {
        let detail = "the Idempotency-Key was used for another request; use a new key for a new request";
        Self::new(Code::KeyReused, detail)
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// The token is good, but not for this (RFC 6750, section 3.1).
    pub(crate) fn insufficient_scope(scope: Scope) -> Self {
        let scope = scope.as_str();
        let detail = format!("this wants a token with the scope \"{scope}\"");
        Self::new(Code::InsufficientScope, detail).with("scope", scope)
    }

    fn unavailable(cause: String) -> Self {
        let detail = "a service that Longshore depends on did not answer; try again in a moment";
        Self {
            retry_after_seconds: Some(1),
            cause: Some(cause),
            ..Self::new(Code::Unavailable, detail)
        }
    }

    pub(crate) fn internal(cause: String) -> Self {
        let detail = "this is a fault of Longshore; the log of the function has the details";
        Self {
            cause: Some(cause),
            ..Self::new(Code::Internal, detail)
        }
    }

    fn conflict(conflict: Conflict) -> Self {
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
            Conflict::WithinItself => Self::new(
                Code::WithinItself,
                "a folder cannot go into itself, or into a folder within it; choose another \"parent\"",
            ),
            Conflict::FolderNotEmpty => Self::new(
                Code::FolderNotEmpty,
                "delete what is in the folder first, or all of it with `?permanently=true`",
            ),
            Conflict::BeingRemoved => Self::new(
                Code::NotFound,
                "it is being removed, and cannot be restored any more",
            ),
            Conflict::InTrash => Self::new(
                Code::InTrash,
                "restore it, or the folder in the trash that it is in, first: POST /v1/trash/{id}/restore",
            ),
            Conflict::TooManyKept => {
                let detail = format!(
                    "{MOST_KEPT} versions of the file are kept for good already; let another one go, or restore it"
                );
                Self::new(Code::TooManyKept, detail).with("max_kept", MOST_KEPT)
            }
            Conflict::InvitationGone => Self::new(Code::InvitationInvalid, INVITATION_INVALID),
            Conflict::QuotaExceeded => Self::new(Code::QuotaExceeded, changed),
            Conflict::AccountChanged
            | Conflict::SessionChanged
            | Conflict::NodeChanged
            | Conflict::FoldersChanged
            | Conflict::UploadChanged
            | Conflict::ContentExists
            | Conflict::BlobGone
            | Conflict::BlobChanged
            | Conflict::KeyUsed
            | Conflict::PartsChanged
            | Conflict::ReplicaChanged => Self::new(Code::ChangedMeanwhile, changed),
        }
    }

    /// What an endpoint with these problems answers when the store fails. A conflict that it does not declare is a fault.
    fn of_store(error: &StoreError, declared: &[Code]) -> Self {
        match error.kind {
            ErrorKind::Conflict(conflict) => {
                let problem = Self::conflict(conflict);
                if declared.contains(&problem.code) {
                    return problem;
                }
                Self::internal(format!(
                    "{conflict}: the endpoint does not declare {}",
                    problem.code.as_str()
                ))
            }
            ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::NotFound => {
                Self::unavailable(error.for_log())
            }
            // What we may not do or asked wrongly will not be better in a moment.
            ErrorKind::Invalid
            | ErrorKind::Denied
            | ErrorKind::Corrupt
            | ErrorKind::Misconfigured
            | ErrorKind::OtherFormat
            | ErrorKind::Internal => Self::internal(error.for_log()),
        }
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Whether the client has done nothing wrong.
    pub(crate) fn is_fault(&self) -> bool {
        self.code.status() >= 500
    }
}

/// Of an endpoint that declares no conflict.
impl From<StoreError> for ProblemDocument {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error, &[])
    }
}

const INVITATION_INVALID: &str = "this code cannot be used here: it may be mistyped, used, revoked, expired, or for another purpose or name; ask for a \
     new one";

/// What is wrong, by an endpoint that declares its code.
#[derive(Debug)]
pub struct Problem<E> {
    document: ProblemDocument,
    endpoint: PhantomData<fn() -> E>,
}

impl<E: Endpoint> Problem<E> {
    pub(crate) fn of(document: ProblemDocument) -> Self {
        Self {
            document,
            endpoint: PhantomData,
        }
    }

    /// A problem of this kind, and what to do about it.
    pub fn new<C: AsCode>(_: C, detail: impl Into<String>) -> Self
    where
        E: Declares<C>,
    {
        Self::of(ProblemDocument::new(C::CODE, detail))
    }

    /// A field is not what it should be.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self
    where
        E: Declares<code::InvalidRequest>,
    {
        Self::of(ProblemDocument::invalid(field, detail))
    }

    /// No valid token.
    pub fn unauthorized(detail: impl Into<String>) -> Self
    where
        E: Declares<code::Unauthorized>,
    {
        Self::of(ProblemDocument::unauthorized(detail))
    }

    /// There is none, or it is not the caller's: the two cannot be told apart.
    #[must_use]
    pub fn not_found(what: &str) -> Self
    where
        E: Declares<code::NotFound>,
    {
        Self::of(ProblemDocument::not_found(what))
    }

    /// No room, and what makes some.
    #[must_use]
    pub fn quota_exceeded(quota: &Quota, used: &Used, wanted: u64) -> Self
    where
        E: Declares<code::QuotaExceeded>,
    {
        let free = quota.free.max(0);
        let would_free = |what: &str, bytes: u64| match bytes {
            0 => String::new(),
            _ => format!("; {what} would free {bytes}"),
        };
        let detail = format!(
            "the file has {wanted} bytes, {free} of {} are free{}{}; deleting files permanently and aborting open uploads makes room",
            quota.limit,
            would_free("emptying the trash", used.trash),
            would_free("deleting earlier versions of files", used.versions)
        );
        Self::new(code::QuotaExceeded, detail)
            .with("quota_bytes", quota.limit)
            .with("used_bytes", quota.used())
            .with("free_bytes", free)
            .with("trash_bytes", used.trash)
            .with("version_bytes", used.versions)
            .with("wanted_bytes", wanted)
    }

    /// The code of an invitation is good for nothing, whatever the reason.
    #[must_use]
    pub fn invitation_invalid() -> Self
    where
        E: Declares<code::InvitationInvalid>,
    {
        Self::new(code::InvitationInvalid, INVITATION_INVALID)
    }

    /// Too often; again after `wait`.
    #[must_use]
    pub fn too_many_requests(wait: SignedDuration) -> Self
    where
        E: Declares<code::TooManyRequests>,
    {
        // Not a moment too early.
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
        let detail = format!("this was tried too often; try again in {seconds} seconds");
        Self::new(code::TooManyRequests, detail).retry_after(seconds)
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.document.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds a member that programs can read.
    #[must_use]
    pub fn with(self, member: &str, value: impl Into<Value>) -> Self {
        Self::of(self.document.with(member, value))
    }

    /// What is wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.document.code
    }

    /// As a part of an answer that is about more than what failed. It is logged here.
    #[must_use]
    pub fn into_part(self) -> wire::problem::Document {
        self.document.log();
        wire::problem::Document(self.document.members())
    }

    pub(crate) fn into_document(self) -> ProblemDocument {
        self.document
    }
}

/// What the store refuses is the problem that goes with it, where the endpoint declares that, and a fault where it does not.
impl<E: Endpoint> From<StoreError> for Problem<E> {
    fn from(error: StoreError) -> Self {
        Self::of(ProblemDocument::of_store(&error, E::PROBLEMS))
    }
}

impl<E: Endpoint> From<Conflict> for Problem<E> {
    fn from(conflict: Conflict) -> Self {
        StoreError::from(conflict).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use wire::{file, folder};

    #[test]
    fn who_waits_as_long_as_they_are_told_does_not_come_too_early() {
        let told = |milliseconds| {
            let wait = SignedDuration::from_millis(milliseconds);
            let problem = Problem::<file::Get>::too_many_requests(wait).into_document();
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
        let response = ProblemDocument::from(error).into_response();
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

    #[test]
    fn a_conflict_is_answered_by_an_endpoint_that_declares_it_and_by_no_other() {
        let declares = Problem::<folder::Create>::from(Conflict::NameTaken);
        assert_eq!(declares.code(), Code::NameTaken);
        let does_not = Problem::<file::Delete>::from(Conflict::NameTaken);
        assert_eq!(does_not.code(), Code::Internal);
    }
}
