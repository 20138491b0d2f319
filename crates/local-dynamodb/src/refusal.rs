//! Answers that are errors.

use dynoxide::DynoxideError;
use http::StatusCode;
use serde_json::{Value, json};

/// An answer that is an error.
#[derive(Debug)]
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// Its body: what kind of error it is, in words and in a form for programs.
    pub body: Value,
}

impl From<&DynoxideError> for Refusal {
    fn from(error: &DynoxideError) -> Self {
        let plain = || json!({ "__type": error.error_type(), "message": error.to_string() });
        Self {
            status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: serde_json::from_str(&error.to_json()).unwrap_or_else(|_| plain()),
        }
    }
}

impl Refusal {
    /// dynoxide checks some parameters while it reads them, and begins the message with what kind of error it is.
    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let (kind, said) = message.split_once(':').unwrap_or(("", &message));
        let (kind, message) = if kind.starts_with("VALIDATION") {
            ("com.amazon.coral.validate#ValidationException", said)
        } else {
            (
                "com.amazon.coral.service#SerializationException",
                message.as_str(),
            )
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({ "__type": kind, "message": message }),
        }
    }

    /// Whether it was a condition that was not met.
    #[must_use]
    pub fn is_for_condition(&self) -> bool {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.ends_with("#ConditionalCheckFailedException") || kind.ends_with("#TransactionCanceledException")
    }
}
