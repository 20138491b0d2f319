//! What the fakes reply: bodies, and the JSON of the API.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use std::io;

pub(crate) type Reply = Response<BoxBody<Bytes, io::Error>>;

pub(crate) fn body(bytes: Vec<u8>) -> BoxBody<Bytes, io::Error> {
    Full::new(Bytes::from(bytes))
        .map_err(|never| match never {})
        .boxed()
}

/// The answer, or the status and code of the problem.
pub(crate) type FakeResponse = Result<(u16, Value), Refusal>;
pub(crate) type Refusal = (u16, &'static str);

pub(crate) fn problem(status: u16, code: &str) -> Reply {
    problem_with(status, code, &json!({}))
}

pub(crate) fn problem_with(status: u16, code: &str, extras: &Value) -> Reply {
    let mut document = json!({
        "type": format!("https://longshore.dev/problems/{code}"), "title": code, "status": status,
        "detail": format!("about {code}"), "code": code, "message": format!("about {code}"),
    });
    document
        .as_object_mut()
        .unwrap()
        .extend(extras.as_object().unwrap().clone());
    let reply = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/problem+json");
    reply.body(body(document.to_string().into_bytes())).unwrap()
}

pub(crate) fn reply(answer: FakeResponse) -> Reply {
    match answer {
        Ok((status, value)) => self::answer(status, &value),
        Err((status, code)) => problem(status, code),
    }
}

pub(crate) fn answer(status: u16, value: &Value) -> Reply {
    Response::builder()
        .status(status)
        .body(body(value.to_string().into_bytes()))
        .unwrap()
}
