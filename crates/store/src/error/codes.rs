//! The codes of services, read here and nowhere else.

use super::kind::{Conflict, ErrorKind};

/// The codes of DynamoDB, also as reasons of a cancelled transaction, of SQS, S3 and Secrets Manager.
pub(super) const CODES: [(ErrorKind, &[&str]); 7] = [
    (
        ErrorKind::Throttled,
        &[
            "BandwidthLimitExceeded",
            "KMS.ThrottlingException",
            "KmsThrottled",
            "LimitExceededException",
            "OperationAborted",
            "OverLimit",
            "ProvisionedThroughputExceeded",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "ReplicatedWriteConflictException",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "ThrottlingError",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionConflict",
            "TransactionConflictException",
            "TransactionInProgressException",
        ],
    ),
    (
        ErrorKind::Unavailable,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
    ),
    (
        ErrorKind::NotFound,
        &["InvalidRange", "NoSuchKey", "NoSuchUpload", "NotFound"],
    ),
    (
        ErrorKind::Conflict(Conflict::PartsChanged),
        &["BadDigest", "EntityTooSmall", "InvalidPart", "InvalidPartOrder"],
    ),
    (
        ErrorKind::Denied,
        &["AccessDenied", "AccessDeniedException", "KmsAccessDenied"],
    ),
    (
        ErrorKind::Invalid,
        &["InvalidArgument", "ValidationError", "ValidationException"],
    ),
    (
        ErrorKind::Misconfigured,
        &[
            "AWS.SimpleQueueService.NonExistentQueue",
            "NoSuchBucket",
            "QueueDoesNotExist",
            "ResourceNotFoundException",
        ],
    ),
];

/// What a service's refusal is: by its code, or by the status of its answer where nobody has thought of the code.
pub(super) fn classify(code: Option<&str>, status: Option<u16>) -> ErrorKind {
    let known = CODES
        .iter()
        .find(|(_, codes)| code.is_some_and(|code| codes.contains(&code)));
    if let Some((kind, _)) = known {
        return *kind;
    }
    match status {
        Some(401 | 403) => ErrorKind::Denied,
        Some(429) => ErrorKind::Throttled,
        Some(500..) => ErrorKind::Unavailable,
        // A service refuses with a code; without one, something else answered in its place.
        _ if code.is_some() => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_nobody_knows_is_told_by_the_status() {
        for (code, status, expected) in [
            (None, None, ErrorKind::Unavailable),
            (None, Some(403), ErrorKind::Denied),
            (None, Some(404), ErrorKind::Unavailable),
            (Some("NewAndBusy"), Some(429), ErrorKind::Throttled),
            (Some("NewAndBroken"), Some(503), ErrorKind::Unavailable),
            (Some("NewAndWrong"), Some(400), ErrorKind::Invalid),
            (Some("NoSuchBucket"), Some(404), ErrorKind::Misconfigured),
            (Some("SlowDown"), Some(503), ErrorKind::Throttled),
        ] {
            assert_eq!(classify(code, status), expected, "{code:?} {status:?}");
        }
    }
}
