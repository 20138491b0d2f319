//! What S3 says when it does not do what it is asked for.

use http::StatusCode;
use std::collections::BTreeMap;

/// An error document.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: BTreeMap<&'static str, String>,
}

impl Refusal {
    /// With an HTTP status.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            details: BTreeMap::new(),
        }
    }

    /// The same with one more element.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.insert(name, value.into());
        self
    }

    /// Something about a header.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequest", message)
    }

    /// A header whose value is not one of its kind.
    pub(crate) fn invalid_header(name: &str) -> Self {
        Self::invalid_request(format!("Value for {name} header is invalid."))
    }

    /// A parameter whose value is not one of its kind.
    pub(crate) fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> Self {
        Self::new(400, "InvalidArgument", message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    /// There is no such object.
    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
    }

    /// There is no such multipart upload of this key.
    pub(crate) fn no_such_upload(id: &str) -> Self {
        let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                    aborted or completed.";
        Self::new(404, "NoSuchUpload", text).with("UploadId", id)
    }

    /// The object must not be there, and is.
    pub(crate) fn precondition_failed() -> Self {
        let text = "At least one of the pre-conditions you specified did not hold";
        Self::new(412, "PreconditionFailed", text).with("Condition", "If-None-Match")
    }

    /// The double lacks it.
    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("the S3 double has no {what}"))
    }
}
