//! What follows from a failure of an S3-compatible store.

use crate::error::{Cause, Failure};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use store::error::describe;

/// Codes that tell more than their status does.
const TABLE: [(&str, Failure); 24] = [
    // The clock here or there is wrong, and will be set; the answer to a request that came too late.
    ("RequestTimeTooSkewed", Failure::Passing),
    ("RequestExpired", Failure::Passing),
    ("RequestTimeout", Failure::Passing),
    ("SlowDown", Failure::Passing),
    ("OperationAborted", Failure::Passing),
    // The bytes were changed on the way.
    ("BadDigest", Failure::Passing),
    ("XAmzContentSHA256Mismatch", Failure::Passing),
    ("XAmzContentChecksumMismatch", Failure::Passing),
    // Credentials that some stores refuse with a 400.
    ("ExpiredToken", Failure::Permanent),
    ("InvalidToken", Failure::Permanent),
    ("InvalidSecurity", Failure::Permanent),
    ("AuthorizationHeaderMalformed", Failure::Permanent),
    ("NotSignedUp", Failure::Permanent),
    // The bucket.
    ("NoSuchBucket", Failure::Permanent),
    ("InvalidBucketName", Failure::Permanent),
    ("PermanentRedirect", Failure::Permanent),
    ("IllegalLocationConstraintException", Failure::Permanent),
    // No space, also with a 5xx.
    ("QuotaExceeded", Failure::Permanent),
    ("EntityTooLarge", Failure::Permanent),
    ("InsufficientStorage", Failure::Permanent),
    ("XMinioStorageFull", Failure::Permanent),
    // The multipart upload is not there, or has not the parts that it should have (any more).
    ("NoSuchUpload", Failure::MultipartGone),
    ("InvalidPart", Failure::MultipartGone),
    ("InvalidPartOrder", Failure::MultipartGone),
];

/// What follows from an answer. Of requests about a multipart upload Ceph also says that there is no such key.
fn classify(status: Option<u16>, code: Option<&str>, of_multipart: bool) -> Failure {
    if of_multipart && code == Some("NoSuchKey") {
        return Failure::MultipartGone;
    }
    if let Some((_, failure)) = TABLE.iter().find(|(known, _)| code == Some(known)) {
        return *failure;
    }
    status.map_or(Failure::Passing, Failure::of_status)
}

/// What follows from an error.
pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>, of_multipart: bool) -> Failure {
    classify(status(error), code(error), of_multipart)
}

/// What the target said, or why it said nothing.
pub(super) fn cause<E>(error: &SdkError<E>) -> Cause
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    match (code(error), status(error)) {
        (Some(code), _) => Cause::code(code, message.unwrap_or("no message")),
        // Answers to HEAD have no body.
        (None, Some(status)) => Cause::status(status),
        // The SDK says in which way there was none in words of its own; what is behind it can name addresses.
        (None, None) => Cause::new(error.to_string(), describe(error)),
    }
}

/// The status of the answer, if there was one.
pub(super) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Failure::{MultipartGone, Passing, Permanent};

    #[test]
    fn permanent_and_passing_are_told_apart() {
        for (status, code, expected) in [
            (None, None, Passing),
            (Some(200), Some("InternalError"), Passing),
            (Some(400), Some("BadDigest"), Passing),
            (Some(400), Some("ExpiredToken"), Permanent),
            (Some(400), Some("InvalidPart"), MultipartGone),
            (Some(400), Some("NobodyKnows"), Passing),
            (Some(403), Some("AccessDenied"), Permanent),
            (Some(403), Some("InvalidAccessKeyId"), Permanent),
            (Some(403), Some("SignatureDoesNotMatch"), Permanent),
            (Some(403), Some("UserSuspended"), Permanent),
            (Some(403), Some("QuotaExceeded"), Permanent),
            (Some(403), Some("RequestTimeTooSkewed"), Passing),
            (Some(403), None, Permanent),
            (Some(404), Some("NoSuchBucket"), Permanent),
            (Some(404), Some("NoSuchUpload"), MultipartGone),
            (Some(404), Some("NoSuchKey"), Passing),
            (Some(408), None, Passing),
            (Some(429), None, Passing),
            (Some(500), Some("InternalError"), Passing),
            (Some(503), Some("SlowDown"), Passing),
            (Some(507), None, Permanent),
        ] {
            assert_eq!(classify(status, code, false), expected, "{status:?} {code:?}");
        }
        assert_eq!(classify(Some(404), Some("NoSuchKey"), true), MultipartGone);
        assert_eq!(classify(Some(404), Some("NoSuchBucket"), true), Permanent);
    }
}
