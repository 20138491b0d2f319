//! What is written next to an event: the answer, and what is in the table afterwards.
//!
//! Everything is compared, and nothing may be there besides, but for what differs from time to time: in texts,
//! `<id>`, `<time>`, `<token>`, `<query>` (of a URL) and `<endpoint>` stand for one of these.

use crate::harness::aws::item_of;
use crate::harness::stack::stack;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The sample world's table.
const TABLE: &str = "longshore-sample";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    answer: Value,
    /// Rows that are in the table afterwards: their keys and some of their attributes; `null` is one that they lack.
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
    /// Keys of rows that are not there any more.
    #[serde(default)]
    gone: Vec<Map<String, Value>>,
}

impl Expected {
    /// What is not as expected, a line each.
    pub(super) async fn differences(&self, answer: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare("answer", &self.answer, answer, &mut found);
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
        (Value::String(pattern), Value::String(text)) if matches(pattern, text, &stack().endpoint) => {}
        (expected, actual) if expected == actual => {}
        (expected, actual) => found.push(format!("{place} is {actual}, expected was {expected}")),
    }
}

/// Whether a text is what a pattern says.
fn matches(pattern: &str, text: &str, endpoint: &str) -> bool {
    let named = ["<id>", "<time>", "<token>", "<query>", "<endpoint>"];
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
        "<query>" => (run(&|c| !c.is_whitespace()), text.contains('=')),
        _ => (endpoint.len(), text.starts_with(endpoint)),
    };
    if !well_formed
        || (name == "<id>" && length != 32)
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
        ("<endpoint>/bucket", "https://example.com/bucket"),
        ("<endpoint>/b?<query>", &format!("{endpoint}/b?")),
    ] {
        assert!(!matches(pattern, text, endpoint), "{pattern} {text}");
    }
}
