//! Holds every answer of the API that any test gets to the OpenAPI document: its status has to be there, and a problem's
//! code. And which endpoints there are, for tests that ask all of a kind.

use super::http::response::HttpResponse;
use super::stack::{root, stack};
use serde_json::{Value, json};
use std::sync::LazyLock;
use wire::{Caller, Declaration, ENDPOINTS};

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

/// How the answer of a function when all is well differs from what its endpoint declares: in its status, and in the members
/// of its body, which is JSON already.
pub(crate) fn differences(endpoint: &Declaration, answer: &Value) -> Vec<String> {
    let status = endpoint.status();
    if answer["statusCode"] != status {
        return vec![format!("{answer}, expected was status {status}")];
    }
    let operation = &DOCUMENT["paths"][endpoint.path][endpoint.method.to_lowercase()];
    let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
    let Some(place) = schema["$ref"].as_str() else {
        return Vec::new();
    };
    let schema = DOCUMENT.pointer(place.trim_start_matches('#')).unwrap();
    let Some(body) = answer["body"].as_object() else {
        return vec![format!("{answer} has no members")];
    };
    let mut found = Vec::new();
    for name in schema["required"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        if !body.contains_key(name) {
            found.push(format!("{name} is missing"));
        }
    }
    for name in body.keys() {
        if schema["properties"].get(name).is_none() {
            found.push(format!("{name} is not documented"));
        }
    }
    found
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

/// The endpoints for everybody that are about one thing and need no body: method, and path as [`Person::call`] takes it.
///
/// [`Person::call`]: super::person::Person::call
pub(crate) fn about_one_thing() -> impl Iterator<Item = (&'static str, &'static str)> {
    let are = ENDPOINTS.iter().filter(|endpoint| {
        endpoint.path.contains("{id}")
            && !matches!(endpoint.caller, Caller::Operator(_))
            && !endpoint.needs_body()
    });
    are.map(|endpoint| (endpoint.method, endpoint.path.trim_start_matches("/v1")))
}

/// The paths of the endpoints that answer a list page by page.
pub(crate) fn lists() -> impl Iterator<Item = &'static str> {
    let are = ENDPOINTS.iter().filter(|endpoint| endpoint.takes("limit"));
    are.map(|endpoint| endpoint.path.trim_start_matches("/v1"))
}

#[test]
fn an_answer_that_is_not_declared_differs() {
    let endpoint = wire::endpoint("file-get").unwrap();
    let node = json!({
        "id": "f1", "kind": "folder", "name": "a", "parent": null, "size": null, "content_type": null,
        "content_id": null, "version": 1, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
    });
    let of =
        |status: u16, body: &Value| differences(endpoint, &json!({ "statusCode": status, "body": body }));
    assert_eq!(of(200, &node), [""; 0]);
    assert_eq!(of(404, &node).len(), 1);
    let (mut more, mut less) = (node.clone(), node);
    more["surprise"] = json!(1);
    assert_eq!(of(200, &more), ["surprise is not documented"]);
    less.as_object_mut().unwrap().remove("name");
    assert_eq!(of(200, &less), ["name is missing"]);
}
