//! Answers, and how refusals are sent.

use crate::disk::random_id;
use crate::refusal::Refusal;
use crate::xml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::fmt::Write;
use std::io;

pub(crate) type ServerResponse = Response<BoxBody<Bytes, io::Error>>;

/// An answer with a body that is all there.
pub(crate) fn with(status: StatusCode, body: impl Into<Bytes>) -> ServerResponse {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = status;
    answer
}

/// An answer that says only that it worked.
pub(crate) fn empty(status: StatusCode) -> ServerResponse {
    with(status, Bytes::new())
}

pub(crate) fn xml(document: &impl Serialize) -> Result<ServerResponse, Refusal> {
    let answer = with(StatusCode::OK, xml::write(document)?);
    Ok(set(answer, CONTENT_TYPE.as_str(), "application/xml"))
}

/// Sets a header. One that HTTP cannot carry is left out.
pub(crate) fn set(mut answer: ServerResponse, name: &str, value: &str) -> ServerResponse {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// A name for a request, as OSS has them: 24 digits.
pub(crate) fn request_id() -> String {
    let mut id = random_id();
    id.truncate(24);
    id
}

/// A refusal. To HEAD, whose answers have no body, it is in a header.
pub(crate) fn refused(refusal: &Refusal, request_id: &str, host: &str, to_head: bool) -> ServerResponse {
    let text = refusal_xml(refusal, request_id, host);
    let answer = if to_head {
        set(empty(refusal.status), "x-oss-err", &STANDARD.encode(text))
    } else {
        with(refusal.status, text)
    };
    let answer = set(answer, CONTENT_TYPE.as_str(), "application/xml");
    set(answer, "x-oss-ec", refusal.ec())
}

/// The XML about a refusal.
fn refusal_xml(refusal: &Refusal, request_id: &str, host: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n");
    let mut element = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  <{name}>{}</{name}>", xml::escape(value));
    };
    element("Code", refusal.code);
    element("Message", &refusal.message);
    element("RequestId", request_id);
    element("HostId", host);
    for (name, value) in &refusal.fields {
        element(name, value);
    }
    element("EC", refusal.ec());
    text.push_str("</Error>\n");
    text
}
