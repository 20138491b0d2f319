//! Errors of SQS, by the codes that callers see.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use local_dynamodb::aws_json::{self, JSON_1_0};
use serde_json::json;
use std::fmt;

/// What SQS refuses, with its code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SqsError {
    /// The name of the error in the JSON protocol.
    shape: &'static str,
    /// Its code in the protocol before that, which the SDKs still show.
    code: &'static str,
    status: StatusCode,
    message: String,
}

impl SqsError {
    fn new(shape: &'static str, code: &'static str, message: &str) -> Self {
        Self {
            shape,
            code,
            status: StatusCode::BAD_REQUEST,
            message: message.to_owned(),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn no_queue() -> Self {
        Self::new(
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
        )
    }

    pub(super) fn value(value: impl fmt::Display + Copy, parameter: &str, reason: &str) -> Self {
        Self::invalid(&format!(
            "Value {value} for parameter {parameter} is invalid. Reason: {reason}"
        ))
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::new("MissingRequiredParameterException", "MissingParameter", &message)
    }

    pub(super) fn contents() -> Self {
        let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
                       #xE000 to #xFFFD | #x10000 to #x10FFFF";
        Self::new("InvalidMessageContents", "InvalidMessageContents", message)
    }

    pub(super) fn handle() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new(
                "ReceiptHandleIsInvalid",
                "ReceiptHandleIsInvalid",
                "The input receipt handle is not a valid receipt handle.",
            )
        }
    }

    pub(super) fn not_in_flight() -> Self {
        Self::new(
            "MessageNotInflight",
            "AWS.SimpleQueueService.MessageNotInflight",
            "The specified message isn't in flight.",
        )
    }

    pub(super) fn empty_batch(entry: &str) -> Self {
        Self::new(
            "EmptyBatchRequest",
            "AWS.SimpleQueueService.EmptyBatchRequest",
            &format!("There should be at least one {entry} in the request."),
        )
    }

    pub(super) fn too_many_entries(count: usize) -> Self {
        Self::new(
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            &format!("Maximum number of entries per request are 10. You have sent {count}."),
        )
    }

    pub(super) fn same_id(id: &str) -> Self {
        Self::new(
            "BatchEntryIdsNotDistinct",
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            &format!("Id {id} repeated."),
        )
    }

    pub(super) fn entry_id() -> Self {
        Self::new(
            "InvalidBatchEntryId",
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
             letters long.",
        )
    }

    pub(super) fn batch_too_long(bytes: usize) -> Self {
        Self::new(
            "BatchRequestTooLong",
            "AWS.SimpleQueueService.BatchRequestTooLong",
            &format!("Batch requests cannot be longer than 1048576 bytes. You have sent {bytes} bytes."),
        )
    }

    pub(super) fn not_implemented(message: &str) -> Self {
        Self::new("NotImplemented", "NotImplemented", message)
    }

    /// The answer that says so.
    pub(super) fn answer(&self) -> Response<Bytes> {
        let body = json!({ "__type": format!("com.amazonaws.sqs#{}", self.shape), "message": self.message });
        let mut response = aws_json::answer(JSON_1_0, self.status, &body);
        if let Ok(code) = HeaderValue::from_str(&format!("{};Sender", self.code)) {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        response
    }
}
