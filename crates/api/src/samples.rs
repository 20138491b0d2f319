//! The sample events (`events/`) as the functions see them: each becomes a [`Call`] with its method, its id, its
//! token and its body.

use crate::auth::keys::{Keys, is_good, sample_keys, sample_token};
use crate::call::Call;
use lambda_http::Body;
use lambda_http::http::Method;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use wire::Schemas;
use wire::path;
use wire::query::Source;

/// The account that the events' token is for.
const ANN: &str = "acc00000000000000000000000000001";
/// The session that it belongs to.
const SESSION: &str = "5e550000000000000000000000000001";

/// Where the sample events are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// Every HTTP event with its path, as text.
fn events() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for function in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let files = fs::read_dir(&function).into_iter().flatten();
        for file in files.map(|entry| entry.unwrap().path()) {
            let name = file.to_str().unwrap().to_owned();
            let text = fs::read_to_string(&file).unwrap();
            if file.extension().is_some_and(|kind| kind == "json") && text.contains("\"httpMethod\"") {
                found.push((name, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Any text as an id: what the path says, whether a function would take it or not.
#[derive(Debug, PartialEq)]
struct Text(String);

impl path::Path for Text {
    const NOUN: &'static str = "thing";

    fn read(text: Option<&str>) -> Option<Self> {
        text.map(|text| Self(text.to_owned()))
    }

    fn schema(_: &mut Schemas) -> Option<schemars::Schema> {
        None
    }
}

fn check(name: &str, text: &str, keys: &Keys) {
    let event: Value = serde_json::from_str(text).unwrap();
    let request = lambda_http::request::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        Ok(request.method()),
        event["httpMethod"]
            .as_str()
            .unwrap()
            .parse::<Method>()
            .as_ref()
            .map_err(|_| ()),
        "{name}"
    );
    let body = match request.body() {
        Body::Text(text) => Some(text.clone()),
        _ => None,
    };
    assert_eq!(body.as_deref(), event["body"].as_str(), "{name}");

    let call = Call::new(request);
    let id = event["pathParameters"]["id"]
        .as_str()
        .map(|id| Text(id.to_owned()));
    assert_eq!(call.path::<Text>().ok(), id, "{name}");
    for (parameter, value) in event["queryStringParameters"].as_object().into_iter().flatten() {
        let read: Option<String> = call.get(parameter).unwrap();
        assert_eq!(read.as_deref(), value.as_str(), "{name}");
    }
    match event["headers"]["Authorization"].as_str() {
        None => assert_eq!(call.bearer_token().unwrap_err().code().status(), 401, "{name}"),
        Some(token) => {
            // A token is made of its claims and the key alone: when these change, this is what to put there.
            assert_eq!(token, format!("Bearer {}", sample_token(ANN, SESSION)), "{name}");
            assert!(is_good(keys, call.bearer_token().unwrap()), "{name}");
        }
    }
}

#[test]
fn every_http_event_is_the_call_that_it_says() {
    let keys = sample_keys();
    for (name, text) in events() {
        check(&name, &text, &keys);
    }
}
