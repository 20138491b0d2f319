//! What AWS calls a request.

use hyper::{Method, Uri};

/// What AWS calls a request. One to our own API is called `API`.
pub(crate) fn operation(method: &Method, target: Option<&str>, uri: &Uri) -> String {
    if uri.path().starts_with("/_aws/execute-api/") {
        return format!("API {method}");
    }
    if let Some(target) = target {
        let (service, operation) = target.split_once('.').unwrap_or(("", target));
        let service = match service {
            "DynamoDB_20120810" => "DynamoDB",
            "AmazonSQS" => "SQS",
            "secretsmanager" => "SecretsManager",
            other => other,
        };
        return format!("{service} {operation}");
    }
    let query = uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let of_bucket = uri.path().trim_matches('/').split('/').count() < 2;
    let operation = match method.as_str() {
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("delete") => "DeleteObjects",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("uploadId") => "ListParts",
        "GET" if of_bucket => "ListObjectsV2",
        "GET" => "GetObject",
        "HEAD" if of_bucket => "HeadBucket",
        "HEAD" => "HeadObject",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        other => other,
    };
    format!("S3 {operation}")
}
