//! What is written next to an event: the answer, and what is in the table afterwards.
//!
//! Everything is compared, and nothing may be there besides, but for what differs from time to time: in texts,
//! `<id>`, `<time>`, `<token>`, `<secret>` (of another token), `<code>` (of an invitation), `<query>` (of a
//! URL), `<32 bytes>` (in base64) and `<endpoint>` stand for one of these, `<docs/openapi.json>` for what
//! that file has, `<ranges>` for the ranges of a challenge, and `<seconds>` for a number of them.

use crate::harness::aws::item_of;
use crate::harness::stack::{root, stack};
use domain::proof::Nonce;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::str::FromStr;

/// The sample world's table.
const TABLE: &str = "longshore-sample";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// What the function answers.
    #[serde(default)]
    answer: Option<Value>,
    /// What the error says with which it ends instead.
    #[serde(default)]
    error: Option<String>,
    /// Rows that are in the table afterwards: their keys and some of their attributes; `null` is one that they lack.
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
    /// Keys of rows that are not there any more.
    #[serde(default)]
    gone: Vec<Map<String, Value>>,
}

impl Expected {
    /// What is not as expected, a line each.
    pub(super) async fn differences(&self, outcome: &Result<Value, String>) -> Vec<String> {
        let mut found = Vec::new();
        match (outcome, &self.answer, &self.error) {
            (Ok(answer), Some(expected), None) => compare("answer", expected, answer, &mut found),
            (Err(said), None, Some(expected)) if said.contains(expected) => {}
            (Ok(answer), None, Some(expected)) => {
                found.push(format!(
                    "it answered {answer}, expected was the error {expected:?}"
                ));
            }
            (Err(said), _, Some(expected)) => found.push(format!("{said}, expected was {expected:?}")),
            (Err(said), ..) => found.push(said.clone()),
            (Ok(_), ..) => found.push(
                "the file has either the whole `answer` or an `error`, whatever else it has".to_owned(),
            ),
        }
        for row in &self.rows {
            let (name, there) = look_up(row).await;
            let Some(there) = there else {
                found.push(format!("{name} is not in the table"));
                continue;
            };
            for (attribute, value) in row {
                compare(
                    &format!("{name} {attribute}"),
                    value,
                    &there[attribute],
                    &mut found,
                );
            }
        }
        for key in &self.gone {
            let (name, there) = look_up(key).await;
            if there.is_some() {
                found.push(format!("{name} is still in the table"));
            }
        }
        found
    }
}

async fn look_up(row: &Map<String, Value>) -> (String, Option<Value>) {
    let (pk, sk) = (row["pk"].as_str().unwrap(), row["sk"].as_str().unwrap());
    (format!("row {pk} {sk}"), item_of(TABLE, pk, sk).await)
}

fn compare(place: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                match actual.get(name) {
                    Some(there) => compare(&format!("{place}.{name}"), value, there, found),
                    None => found.push(format!("{place}.{name} is missing")),
                }
            }
            let unexpected = actual.iter().filter(|(name, _)| !expected.contains_key(*name));
            found.extend(unexpected.map(|(name, value)| format!("{place}.{name} was not expected: {value}")));
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (value, there)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{place}[{index}]"), value, there, found);
            }
        }
        (Value::String(pattern), Value::Array(ranges)) if pattern == "<ranges>" && are_ranges(ranges) => {}
        (Value::String(pattern), document) if pattern == "<docs/openapi.json>" && is_openapi(document) => {}
        (Value::String(pattern), Value::Number(seconds)) if pattern == "<seconds>" && seconds.is_u64() => {}
        (Value::String(pattern), Value::String(text)) if matches(pattern, text, &stack().endpoint) => {}
        (expected, actual) if expected == actual => {}
        (expected, actual) => found.push(format!("{place} is {actual}, expected was {expected}")),
    }
}

/// Whether this is the document that is checked in.
fn is_openapi(document: &Value) -> bool {
    let kept = std::fs::read(root().join("docs/openapi.json")).unwrap();
    serde_json::from_slice::<Value>(&kept).unwrap() == *document
}

/// Whether these are the ranges of a challenge: one after the other, and nothing but ranges.
fn are_ranges(ranges: &[Value]) -> bool {
    let mut end = 0;
    let in_order = ranges.iter().all(|range| {
        let members = range.as_object().map_or(0, Map::len);
        let (Some(offset), Some(length)) = (range["offset"].as_u64(), range["length"].as_u64()) else {
            return false;
        };
        let fits = members == 2 && offset >= end && length > 0;
        end = offset + length;
        fits
    });
    in_order && !ranges.is_empty()
}

/// Whether a text is what a pattern says.
fn matches(pattern: &str, text: &str, endpoint: &str) -> bool {
    let named = [
        "<id>",
        "<time>",
        "<token>",
        "<secret>",
        "<code>",
        "<query>",
        "<32 bytes>",
        "<endpoint>",
    ];
    let first = named
        .into_iter()
        .filter_map(|name| Some((pattern.find(name)?, name)))
        .min();
    let Some((start, name)) = first else {
        return pattern == text;
    };
    let (literal, rest) = (&pattern[..start], &pattern[start + name.len()..]);
    let Some(text) = text.strip_prefix(literal) else {
        return false;
    };
    let run = |allowed: &dyn Fn(char) -> bool| text.find(|c| !allowed(c)).unwrap_or(text.len());
    let (length, well_formed) = match name {
        "<id>" => (run(&|c| c.is_ascii_hexdigit()), text.len() >= 32),
        "<time>" => (
            run(&|c| c.is_ascii_digit() || "TZ:.-".contains(c)),
            text.starts_with("20"),
        ),
        "<token>" => (
            run(&|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
            text.matches('.').count() == 2,
        ),
        "<secret>" => (
            run(&|c| c.is_ascii_alphanumeric() || "_-".contains(c)),
            text.len() >= 43,
        ),
        "<code>" => (
            run(&|c| c.is_ascii_alphanumeric() || c == '_'),
            text.starts_with("lsi_"),
        ),
        "<32 bytes>" => (
            44.min(text.len()),
            text.get(..44).is_some_and(|text| Nonce::from_str(text).is_ok()),
        ),
        "<query>" => (run(&|c| !c.is_whitespace()), text.contains('=')),
        _ => (endpoint.len(), text.starts_with(endpoint)),
    };
    if !well_formed
        || (name == "<id>" && length != 32)
        || (name == "<secret>" && length != 43)
        || (name == "<code>" && length != 30)
        || (name == "<time>" && !text[..length].ends_with('Z'))
    {
        return false;
    }
    matches(rest, &text[length..], endpoint)
}

#[test]
fn only_what_varies_may_vary() {
    let id = "0123456789abcdef0123456789abcdef";
    let endpoint = "http://127.0.0.1:4566";
    for (pattern, text) in [
        ("same", "same"),
        ("files/<id>", &format!("files/{id}")),
        ("<time>", "2026-11-23T03:46:12.263Z"),
        ("<token>", "eyJ0.eyJz-_.ThJI"),
        ("<code>", "lsi_014d2pf2dbsqqg28t5cy4tqkff"),
        (
            "nonce <32 bytes>.",
            "nonce AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.",
        ),
        (
            "<endpoint>/bucket/blobs/<id>?<query>",
            &format!("{endpoint}/bucket/blobs/{id}?a=b&c=d%20e"),
        ),
    ] {
        assert!(matches(pattern, text, endpoint), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("same", "other"),
        ("files/<id>", "files/0123"),
        ("files/<id>", &format!("uploads/{id}")),
        ("files/<id>", &format!("files/{id}0")),
        ("<time>", "2026-11-23"),
        ("<time>", "soon"),
        ("<token>", "eyJ0.eyJz"),
        ("<code>", "lsi_014d2pf2dbsqqg28t5cy4tqkf"),
        ("<code>", "lsr_014d2pf2dbsqqg28t5cy4tqkff"),
        ("<32 bytes>", "AAAA"),
        ("<32 bytes>", &"ä".repeat(30)),
        ("<32 bytes>", "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("<endpoint>/bucket", "https://example.com/bucket"),
        ("<endpoint>/b?<query>", &format!("{endpoint}/b?")),
    ] {
        assert!(!matches(pattern, text, endpoint), "{pattern} {text}");
    }
}

#[test]
fn only_ranges_are_ranges() {
    let range = |offset: u64, length: u64| json!({ "offset": offset, "length": length });
    assert!(are_ranges(&[range(0, 10), range(10, 1)]));
    for other in [
        vec![],
        vec![range(0, 0)],
        vec![range(5, 6), range(10, 1)],
        vec![json!({ "offset": 0, "length": 1, "text": "" })],
        vec![json!({ "offset": 0 })],
        vec![json!("0-10")],
    ] {
        assert!(!are_ranges(&other), "{other:?}");
    }
}
