//! Calls, as the trace has them.

use crate::s3;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use std::fmt;

/// Whom a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The table.
    DynamoDb,
    /// The primary store, or a target that speaks its protocol.
    S3,
    /// The queues.
    Sqs,
    /// The secrets.
    SecretsManager,
}

impl Service {
    /// Whom a request is for.
    #[must_use]
    pub fn of<T>(request: &Request<T>) -> Self {
        match target(request).split(['_', '.']).next() {
            Some("DynamoDB") => Self::DynamoDb,
            Some("AmazonSQS") => Self::Sqs,
            Some("secretsmanager") => Self::SecretsManager,
            _ => Self::S3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB",
            Self::S3 => "S3",
            Self::Sqs => "SQS",
            Self::SecretsManager => "SecretsManager",
        }
    }
}

/// What operation a request is, with its service: `S3 ListParts`.
pub(crate) fn operation(request: &Request<Bytes>) -> String {
    let service = Service::of(request);
    let operation = match service {
        Service::S3 => s3::operation(request),
        _ => target(request).rsplit('.').next().unwrap_or_default(),
    };
    format!("{} {operation}", service.name())
}

fn target<T>(request: &Request<T>) -> &str {
    let header = request.headers().get("x-amz-target");
    header.and_then(|text| text.to_str().ok()).unwrap_or_default()
}

/// A call that a function made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it was sent.
    pub at: Timestamp,
    /// The invocation, from 1. What a function calls when it starts is a part of its first one.
    pub invocation: u64,
    /// The function.
    pub function: String,
    /// Which call of this invocation it is, from 1. All attempts of a call are one.
    pub site: usize,
    /// Which attempt of that call, from 1.
    pub attempt: usize,
    /// Service and operation.
    pub operation: String,
    /// Where it goes: host and path.
    pub to: String,
    /// A digest of its body.
    pub body: u64,
}

impl Call {
    /// Whether it changes nothing.
    #[must_use]
    pub fn reads(&self) -> bool {
        let (_, verb) = self.operation.split_once(' ').unwrap_or_default();
        ["Get", "BatchGet", "Query", "List", "Head"]
            .iter()
            .any(|word| verb.starts_with(word))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            invocation,
            function,
            site,
            attempt,
            operation,
            to,
            body,
        } = self;
        write!(
            f,
            "{at} {function}#{invocation} call {site}.{attempt} {operation} {to} {body:016x}"
        )
    }
}
