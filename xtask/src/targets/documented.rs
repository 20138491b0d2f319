//! docs/targets.schema.json and docs/targets.md say what `domain::targets` accepts, no more and no less.

use crate::{tools, workspace};
use domain::targets::{Config, Invalid};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;

fn schema() -> Value {
    tools::read_json(&workspace::root().join("docs/targets.schema.json")).unwrap()
}

fn parse(document: &Value) -> Result<Config, Invalid> {
    Config::parse(&document.to_string())
}

fn target(kind: &str) -> Value {
    let mut target = json!({
        "name": "a", "kind": kind, "endpoint": "https://h", "bucket": "b", "access_key_id": "i", "secret_access_key": "s",
    });
    if kind == "oss" {
        target["region"] = json!("cn-hangzhou");
    }
    target
}

fn policy() -> Value {
    json!({ "targets": [] })
}

/// A document with nothing but this target, or this policy.
fn with(what: &str, object: &Value) -> Value {
    if what == "target" {
        json!({ "targets": [object] })
    } else {
        json!({ "targets": [], "policies": [object] })
    }
}

fn properties<'a>(schema: &'a Value, what: &str) -> &'a Map<String, Value> {
    schema["$defs"][what]["properties"].as_object().unwrap()
}

/// The fields that the parser says it would accept instead of one that it does not know.
fn accepted(document: &Value) -> BTreeSet<String> {
    let problem = parse(document).unwrap_err().problem;
    let (_, list) = problem.split_once("expected ").unwrap();
    let quoted = list.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn the_fields_are_the_same() {
    let schema = schema();
    for (what, mut object) in [("target", target("ceph")), ("policy", policy())] {
        object["colour"] = json!("red");
        let said: BTreeSet<String> = properties(&schema, what).keys().cloned().collect();
        assert_eq!(said, accepted(&with(what, &object)), "{what}");
    }
    let said: BTreeSet<String> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(said, accepted(&json!({ "colour": "red" })));
}

#[test]
fn what_is_required_is_required_and_nothing_else() {
    let schema = schema();
    for (what, whole) in [("target", target("ceph")), ("policy", policy())] {
        let said: BTreeSet<&str> = schema["$defs"][what]["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let has: BTreeSet<&str> = whole.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(said, has, "{what}");
        parse(&with(what, &whole)).unwrap();
        for field in said {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(parse(&with(what, &less)).is_err(), "{what} without {field}");
        }
    }
    let mut oss = target("oss");
    parse(&with("target", &oss)).unwrap();
    oss.as_object_mut().unwrap().remove("region");
    assert!(parse(&with("target", &oss)).is_err());
}

#[test]
fn what_the_schema_gives_as_examples_is_accepted() {
    let schema = schema();
    for (what, whole) in [("target", target("ceph")), ("policy", policy())] {
        for (field, about) in properties(&schema, what) {
            for example in about["examples"].as_array().unwrap() {
                let mut object = whole.clone();
                object[field] = example.clone();
                parse(&with(what, &object)).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
}

/// Whatever the schema lists, bounds or leaves out, the parser does, too.
#[test]
fn the_choices_and_bounds_are_the_same() {
    let schema = schema();
    let said = properties(&schema, "target");
    let accepts = |kind: &str, field: &str, value: Value| {
        let mut object = target(kind);
        object[field] = value;
        parse(&with("target", &object)).is_ok()
    };
    for (kind, field, value) in [
        ("ceph", "addressing", json!("elsewhere")),
        ("ceph", "addressing", json!("custom_domain")),
        ("ceph", "checksum", json!("crc32")),
        ("oss", "checksum", json!("md5")),
        ("oss", "region", json!("oss-cn-hangzhou")),
        ("ceph", "kind", json!("tape")),
        ("ceph", "name", json!("Ceph")),
        ("ceph", "name", json!("c".repeat(33))),
        ("ceph", "endpoint", json!("https://h/path")),
        ("ceph", "prefix", json!("/p")),
        ("ceph", "prefix", json!("p".repeat(513))),
        ("ceph", "ca_bundle", json!("none")),
        ("ceph", "bucket", json!("")),
        ("ceph", "draining", json!("yes")),
    ] {
        assert!(!accepts(kind, field, value.clone()), "{kind}: {field} {value}");
    }
    for addressing in said["addressing"]["enum"].as_array().unwrap() {
        assert!(accepts("oss", "addressing", addressing.clone()), "{addressing}");
    }
    for checksum in said["checksum"]["enum"].as_array().unwrap() {
        assert!(accepts("ceph", "checksum", checksum.clone()), "{checksum}");
    }
    let bound = |field: &str, which: &str| said[field][which].as_u64().unwrap();
    for (field, least, most) in [
        (
            "max_workers",
            bound("max_workers", "minimum"),
            bound("max_workers", "maximum"),
        ),
        (
            "max_bytes_per_second",
            bound("max_bytes_per_second", "minimum"),
            u64::MAX - 1,
        ),
    ] {
        assert!(
            accepts("ceph", field, json!(least)) && !accepts("ceph", field, json!(least - 1)),
            "{field}"
        );
        assert!(accepts("ceph", field, json!(most)), "{field}");
    }
    assert!(!accepts(
        "ceph",
        "max_workers",
        json!(bound("max_workers", "maximum") + 1)
    ));
    assert!(accepts("ceph", "prefix", json!("p".repeat(512))));
    assert!(accepts("ceph", "name", json!("c".repeat(32))));
}

#[test]
fn every_example_in_the_page_can_be_used() {
    let page = fs::read_to_string(workspace::root().join("docs/targets.md")).unwrap();
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 5, "{} examples", examples.len());
    for example in examples {
        Config::parse(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}
