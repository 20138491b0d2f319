//! What follows from a refusal of OSS, and what it says.

use super::xml::{Document, Error};
use crate::error::{Cause, Failure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What OSS said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Empty when it said nothing.
    pub(super) code: String,
    message: String,
}

/// Codes that tell more than their status does.
const TABLE: [(&str, Failure); 22] = [
    // The clock here or there is wrong, and will be set.
    ("RequestTimeTooSkewed", Failure::Passing),
    ("RequestTimeout", Failure::Passing),
    ("QpsLimitExceeded", Failure::Passing),
    ("TrafficRateLimitExceeded", Failure::Passing),
    // The bytes were changed on the way.
    ("InvalidDigest", Failure::Passing),
    ("InvalidCRC", Failure::Passing),
    // Credentials; most are refused with a 403.
    ("InvalidSecurityToken", Failure::Permanent),
    ("SecurityTokenExpired", Failure::Permanent),
    ("SecurityTokenNotSupported", Failure::Permanent),
    // The bucket, or the way to it.
    ("NoSuchBucket", Failure::Permanent),
    ("InvalidBucketName", Failure::Permanent),
    ("PublicEndpointForbidden", Failure::Permanent),
    ("SecondLevelDomainForbidden", Failure::Permanent),
    // No space, also with a 5xx.
    ("QuotaExceeded", Failure::Permanent),
    ("EntityTooLarge", Failure::Permanent),
    // The multipart upload is not there, or has not the parts that it should have (any more).
    ("NoSuchUpload", Failure::MultipartGone),
    ("InvalidPart", Failure::MultipartGone),
    ("InvalidPartOrder", Failure::MultipartGone),
    ("FilePartNotExist", Failure::MultipartGone),
    ("FilePartStale", Failure::MultipartGone),
    ("FilePartInterity", Failure::MultipartGone),
    ("EntityTooSmall", Failure::MultipartGone),
];

impl Refusal {
    /// Reads a refusal: from the body, or, of an answer to HEAD, from the header `x-oss-err`.
    pub(super) fn read(status: u16, body: &[u8], header: Option<&str>) -> Self {
        let from_header = header.and_then(|header| BASE64.decode(header).ok());
        let error = match Document::read(from_header.as_deref().unwrap_or(body)) {
            Some(Document::Error(error)) => error,
            _ => Error::default(),
        };
        Self {
            status,
            code: error.code.trim().to_owned(),
            message: error.message.trim().to_owned(),
        }
    }

    /// What follows from it.
    pub(super) fn failure(&self) -> Failure {
        if let Some((_, failure)) = TABLE.iter().find(|(known, _)| self.code == *known) {
            return *failure;
        }
        Failure::of_status(self.status)
    }

    /// There is no such object; that there is no such bucket is something else.
    pub(super) fn is_no_such_key(&self) -> bool {
        self.status == 404 && ["NoSuchKey", ""].contains(&self.code.as_str())
    }

    /// What it says. The rest of OSS's answer is left out: it repeats what was signed.
    pub(super) fn cause(&self) -> Cause {
        match self.code.as_str() {
            "" => Cause::status(self.status),
            code => Cause::code(code, &self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Failure::{MultipartGone, Passing, Permanent};

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal {
            status,
            code: code.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn permanent_and_passing_are_told_apart() {
        for (status, code, expected) in [
            (400, "InvalidDigest", Passing),
            (400, "NobodyKnows", Passing),
            (400, "PublicEndpointForbidden", Permanent),
            (400, "InvalidPart", MultipartGone),
            (403, "AccessDenied", Permanent),
            (403, "InvalidAccessKeyId", Permanent),
            (403, "InvalidSecurityToken", Permanent),
            (403, "QuotaExceeded", Permanent),
            (403, "RequestTimeTooSkewed", Passing),
            (403, "SecurityTokenExpired", Permanent),
            (403, "SignatureDoesNotMatch", Permanent),
            (403, "UserDisable", Permanent),
            (404, "NoSuchBucket", Permanent),
            (404, "NoSuchUpload", MultipartGone),
            (408, "", Passing),
            (429, "", Passing),
            (500, "InternalError", Passing),
            (503, "QpsLimitExceeded", Passing),
            (503, "", Passing),
            (507, "", Permanent),
        ] {
            assert_eq!(refusal(status, code).failure(), expected, "{status} {code}");
        }
    }

    #[test]
    fn what_oss_says_is_read() {
        let xml = b"<Error><Code>NoSuchKey</Code><Message>Not &lt;there&gt;.</Message><StringToSign>secret</StringToSign></Error>";
        let refusal = Refusal::read(404, xml, None);
        assert_eq!(
            (refusal.code.as_str(), refusal.cause()),
            ("NoSuchKey", Cause::code("NoSuchKey", "Not <there>."))
        );
        assert_eq!(Refusal::read(404, b"", Some(&BASE64.encode(xml))), refusal);
        for nothing in [&b""[..], b"<html>", b"{}"] {
            assert_eq!(Refusal::read(502, nothing, Some("!")).cause(), Cause::status(502));
        }
    }
}
