//! AWS's prices: the only place that has them.

/// Where they are from, and of when.
pub const SOURCE: &str = "AWS's pricing pages for us-east-1, November 2026, without free tiers and discounts";

/// What AWS asks money for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// What it is.
    pub what: &'static str,
    /// The price as AWS says it.
    pub said: &'static str,
    /// Dollars for one.
    pub dollars: f64,
    /// The page, below <https://aws.amazon.com/>.
    pub page: &'static str,
}

const fn price(what: &'static str, said: &'static str, dollars: f64, page: &'static str) -> Price {
    Price {
        what,
        said,
        dollars,
        page,
    }
}

/// REST APIs, the first 333 millions of a month.
pub const API: Price = price(
    "API Gateway, requests",
    "3.50 a million",
    3.50e-6,
    "api-gateway/pricing/",
);
/// Invocations.
pub const LAMBDA: Price = price("Lambda, requests", "0.20 a million", 0.20e-6, "lambda/pricing/");
/// On `x86_64`, the template's default; on `arm64` it is a fifth less.
pub const LAMBDA_TIME: Price = price(
    "Lambda, GiB-seconds (estimated)",
    "16.67 a million",
    0.000_016_666_7,
    "lambda/pricing/",
);
/// On demand.
pub const WRITE_UNIT: Price = price(
    "DynamoDB, write units",
    "0.625 a million",
    0.625e-6,
    "dynamodb/pricing/on-demand/",
);
/// On demand.
pub const READ_UNIT: Price = price(
    "DynamoDB, read units",
    "0.125 a million",
    0.125e-6,
    "dynamodb/pricing/on-demand/",
);
/// PUT, COPY, POST and LIST.
pub const S3_PUT: Price = price("S3, PUT, POST and LIST", "5.00 a million", 5.00e-6, "s3/pricing/");
/// GET, HEAD and the rest. Deletes cost nothing, nor does the end of a multipart upload that is given up.
pub const S3_GET: Price = price("S3, GET and HEAD", "0.40 a million", 0.40e-6, "s3/pricing/");
/// Standard queues.
pub const SQS: Price = price("SQS, by functions", "0.40 a million", 0.40e-6, "sqs/pricing/");
/// The same price, for what Lambda asks.
pub const SQS_BY_LAMBDA: Price = price("SQS, by Lambda", "0.40 a million", 0.40e-6, "sqs/pricing/");
/// Calls.
pub const SECRETS: Price = price(
    "Secrets Manager, calls",
    "5.00 a million",
    5.00e-6,
    "secrets-manager/pricing/",
);
/// The first ten TiB of a month.
pub const EGRESS: Price = price(
    "transfer to the internet, GiB",
    "0.09 each",
    0.09,
    "ec2/pricing/on-demand/",
);
/// A GiB of S3 Standard for a month.
pub const S3_MONTH: Price = price("S3, GiB", "0.023 each", 0.023, "s3/pricing/");
/// A GiB in the table for a month.
pub const TABLE_MONTH: Price = price("DynamoDB, GiB", "0.25 each", 0.25, "dynamodb/pricing/on-demand/");
/// A secret for a month.
pub const SECRET_MONTH: Price = price("secrets", "0.40 each", 0.40, "secrets-manager/pricing/");
/// An alarm for a month.
pub const ALARM_MONTH: Price = price("alarms", "0.10 each", 0.10, "cloudwatch/pricing/");

/// What a request to AWS is priced as. None where it costs nothing, or is priced by its units.
#[must_use]
pub fn of_request(operation: &str) -> Option<Price> {
    match operation.split_once(' ')? {
        ("API", _) => Some(API),
        ("S3", "AbortMultipartUpload" | "DeleteObject" | "DeleteObjects") => None,
        ("S3", verb) if verb.starts_with("Get") || verb.starts_with("Head") => Some(S3_GET),
        ("S3", _) => Some(S3_PUT),
        ("SQS", verb) if verb.ends_with("by Lambda") => Some(SQS_BY_LAMBDA),
        ("SQS", _) => Some(SQS),
        ("SecretsManager", _) => Some(SECRETS),
        _ => None,
    }
}
