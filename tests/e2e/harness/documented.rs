//! Holds every answer of the API that any test gets to the OpenAPI document: its status has to be there, and a problem's
//! code.

use super::http::HttpResponse;
use super::stack::{root, stack};
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read(root().join("docs/openapi.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

/// Panics when the API gave an answer that its document does not have.
pub(super) fn check(method: &str, url: &str, answer: &HttpResponse) {
    let Some(path) = url.strip_prefix(&stack().api_url) else {
        return;
    };
    let path = path.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else {
        return;
    };
    let kind = answer.header("content-type");
    let is_ours = answer.status < 400 || kind == "application/problem+json";
    if !is_ours {
        // An emulator's gateway, which has words of its own for what it refuses.
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(
        !response.is_null(),
        "{method} {path}: {} is not documented: {}",
        answer.status,
        answer.text()
    );
    let Some(place) = response["$ref"].as_str() else {
        return;
    };
    let problem = DOCUMENT.pointer(place.trim_start_matches('#')).unwrap();
    let schema = &problem["content"]["application/problem+json"]["schema"];
    let codes = schema["properties"]["code"]["enum"].as_array().unwrap();
    let code = &answer.json()["code"];
    assert!(
        codes.contains(code),
        "{method} {path}: {code} is not documented, but {codes:?}"
    );
}

/// What the document says about a path, whatever ids are in it.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let matches = |template: &str| {
        let (mut words, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (words.next(), given.next()) {
                (None, None) => return true,
                (Some("{id}"), Some(id)) if !id.is_empty() => {}
                (Some(word), Some(given)) if word == given => {}
                _ => return false,
            }
        }
    };
    // A path without a variable goes before one with it.
    let mut found: Vec<_> = paths.iter().filter(|(template, _)| matches(template)).collect();
    found.sort_by_key(|(template, _)| template.contains('{'));
    found.first()?.1.get(method.to_lowercase())
}
