//! AWS's JSON protocols: a header names the operation, and requests, answers and errors are JSON objects.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

/// The content type of the protocol's version 1.0.
pub const JSON_1_0: &str = "application/x-amz-json-1.0";
/// The content type of the protocol's version 1.1.
pub const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The name of the operation that a request asks for.
///
/// # Errors
/// What to say when it is for another service.
pub fn operation<'a>(headers: &'a HeaderMap, service: &str) -> Result<&'a str, String> {
    let target = headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
    target
        .strip_prefix(service)
        .and_then(|rest| rest.strip_prefix('.'))
        .ok_or_else(|| format!("{target:?} is no operation of {service}"))
}

/// What a request asks for: the operation's name and its parameters, which are an object.
///
/// # Errors
/// What to say when the request is for another service, or its body is no JSON object.
pub fn read(request: &Request<Bytes>, service: &str) -> Result<(String, Value), String> {
    let operation = operation(request.headers(), service)?;
    let parameters: Map<String, Value> = serde_json::from_slice(request.body())
        .map_err(|error| format!("the parameters of {operation} are no JSON object: {error}"))?;
    Ok((operation.to_owned(), Value::Object(parameters)))
}

/// An answer with this JSON as its body.
#[must_use]
pub fn answer(content_type: &'static str, status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// The refusal of what is not there at all. Not with 501, which callers take for something that passes.
#[must_use]
pub fn not_implemented(content_type: &'static str, message: &str) -> Response<Bytes> {
    let body = json!({ "__type": "NotImplemented", "message": message });
    answer(content_type, StatusCode::BAD_REQUEST, &body)
}
