//! How OSS says no: a status, a code, and XML about it.

use hyper::StatusCode;

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// OSS's finer error code. `None` where it is not publicly known for sure.
    detail: Option<&'static str>,
    /// Further elements of the XML.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// What is written for a finer code that is not known.
const NO_DETAIL: &str = "0000-00000000";

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            fields: Vec::new(),
        }
    }

    pub(crate) fn detail(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::bad_request("InvalidArgument", message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("This server for tests has no {what}."),
        )
    }

    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", why)
    }

    pub(crate) fn no_such_bucket(name: &str) -> Self {
        Self::not_found("NoSuchBucket", "The specified bucket does not exist.")
            .detail("0015-00000101")
            .field("BucketName", name)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::not_found("NoSuchKey", "The specified key does not exist.")
            .detail("0026-00000001")
            .field("Key", key)
    }

    pub(crate) fn no_such_upload(id: &str) -> Self {
        Self::not_found(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
             aborted or completed.",
        )
        .detail("0042-00000002")
        .field("UploadId", id)
    }

    pub(crate) fn already_exists() -> Self {
        let message = "The object you specified already exists and can not be overwritten.";
        Self::new(StatusCode::CONFLICT, "FileAlreadyExists", message)
    }

    /// The refusal that a test asked every request to get, by its code.
    pub(crate) fn by_code(code: &str) -> Option<Self> {
        let on_purpose = "A test asked for this.";
        Some(match code {
            "AccessDenied" => Self::forbidden("AccessDenied", on_purpose),
            "InternalError" => Self::internal(on_purpose),
            "InvalidAccessKeyId" => Self::forbidden("InvalidAccessKeyId", on_purpose),
            "InvalidSecurityToken" => Self::forbidden("InvalidSecurityToken", on_purpose),
            "NoSuchBucket" => Self::not_found("NoSuchBucket", on_purpose),
            "PublicEndpointForbidden" => Self::bad_request("PublicEndpointForbidden", on_purpose),
            "QpsLimitExceeded" => Self::unavailable("QpsLimitExceeded"),
            "QuotaExceeded" => Self::forbidden("QuotaExceeded", on_purpose),
            "RequestTimeTooSkewed" => Self::forbidden("RequestTimeTooSkewed", on_purpose),
            "SecurityTokenExpired" => Self::forbidden("SecurityTokenExpired", on_purpose),
            "ServiceUnavailable" => Self::unavailable("ServiceUnavailable"),
            "SignatureDoesNotMatch" => Self::forbidden("SignatureDoesNotMatch", on_purpose),
            "UserDisable" => Self::forbidden("UserDisable", on_purpose),
            _ => return None,
        })
    }

    pub(crate) fn unavailable(code: &'static str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code,
            "Please reduce your request rate.",
        )
    }

    /// The finer code, as it stands in the XML and in `x-oss-ec`.
    pub(crate) fn ec(&self) -> &'static str {
        self.detail.unwrap_or(NO_DETAIL)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}
