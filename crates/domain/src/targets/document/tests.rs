use super::*;
use serde_json::{Value, json};

fn good() -> Value {
    json!({
        "targets": [
            {"name": "near", "kind": "ceph", "endpoint": "http://127.0.0.1:1", "bucket": "b",
             "access_key_id": "i", "secret_access_key": "very-secret"},
            {"name": "far", "kind": "oss", "endpoint": "https://oss-cn-hangzhou.aliyuncs.com/",
             "region": "cn-hangzhou", "bucket": "b", "prefix": "p/", "access_key_id": "i",
             "secret_access_key": "very-secret", "session_token": "very-secret", "max_workers": 2},
        ],
        "policies": [{"account": "a1", "folder": "/photos/raw/", "targets": ["far"]}],
    })
}

#[test]
fn what_may_be_left_out_has_its_usual_value() {
    let config = Config::parse(&good().to_string()).unwrap();
    let (near, far) = (config.target("near").unwrap(), config.target("far").unwrap());
    let checksum = Checksum::Md5;
    assert_eq!(
        (near.kind, near.addressing),
        (Kind::Ceph { checksum }, Addressing::Path)
    );
    assert_eq!((near.region.as_str(), near.prefix.as_str()), ("us-east-1", ""));
    assert_eq!((far.kind, far.addressing), (Kind::Oss, Addressing::VirtualHosted));
    assert_eq!(far.endpoint, "https://oss-cn-hangzhou.aliyuncs.com");
    assert_eq!((near.max_workers, far.max_workers), (None, Some(2)));
    assert_eq!(config.policies[0].folder.len(), 2);
    assert!(config.target("nowhere").is_none());
    assert!(Config::parse(r#"{"targets": []}"#).unwrap().targets.is_empty());
    assert!(!format!("{config:?}").contains("very-secret"));
}

#[test]
fn two_targets_cannot_be_at_one_place() {
    let mut twice = good();
    twice["targets"][1] = twice["targets"][0].clone();
    twice["targets"][1]["name"] = json!("far");
    // The same place, written in another way.
    twice["targets"][0]["endpoint"] = json!("https://rgw.example.com");
    twice["targets"][1]["endpoint"] = json!("https://RGW.example.com:443/");
    let error = Config::parse(&twice.to_string()).unwrap_err();
    assert_eq!(error.field, "targets[1].prefix");
}

/// Each of these, put into a good document, is found and named, without a value.
#[test]
fn what_is_wrong_is_named() {
    for (place, value, field) in [
        ("/targets/0/name", json!("Near"), "targets[0].name"),
        ("/targets/0/name", json!("x".repeat(33)), "targets[0].name"),
        ("/targets/1/name", json!("near"), "targets[1].name"),
        ("/targets/0/kind", json!("tape"), "targets[0].kind"),
        (
            "/targets/0/endpoint",
            json!("rgw.example.com"),
            "targets[0].endpoint",
        ),
        (
            "/targets/0/endpoint",
            json!("https://h/path"),
            "targets[0].endpoint",
        ),
        (
            "/targets/0/endpoint",
            json!("https://me@h"),
            "targets[0].endpoint",
        ),
        ("/targets/0/endpoint", json!("https://h?x"), "targets[0].endpoint"),
        ("/targets/0/endpoint", json!("https://h#x"), "targets[0].endpoint"),
        ("/targets/0/endpoint", json!("h:9000"), "targets[0].endpoint"),
        ("/targets/0/endpoint", json!("http://a b"), "targets[0].endpoint"),
        ("/targets/0/bucket", json!(""), "targets[0].bucket"),
        ("/targets/0/prefix", json!("/x"), "targets[0].prefix"),
        (
            "/targets/0/addressing",
            json!("custom_domain"),
            "targets[0].addressing",
        ),
        (
            "/targets/0/addressing",
            json!("very-secret"),
            "targets[0].addressing",
        ),
        ("/targets/0/checksum", json!("crc"), "targets[0].checksum"),
        ("/targets/1/checksum", json!("md5"), "targets[1].checksum"),
        (
            "/targets/0/ca_bundle",
            json!("very-secret"),
            "targets[0].ca_bundle",
        ),
        (
            "/targets/0/ca_bundle",
            json!("-----BEGIN CERTIFICATE-----\nvery-secret\n-----END CERTIFICATE-----\n"),
            "targets[0].ca_bundle",
        ),
        (
            "/targets/0/secret_access_key",
            json!(["very-secret"]),
            "targets[0].secret_access_key",
        ),
        ("/targets/0/max_workers", json!(0), "targets[0].max_workers"),
        (
            "/targets/0/max_workers",
            json!("very-secret"),
            "targets[0].max_workers",
        ),
        (
            "/targets/0/max_bytes_per_second",
            json!(1),
            "targets[0].max_bytes_per_second",
        ),
        ("/targets/1/region", json!("oss-cn-hangzhou"), "targets[1].region"),
        ("/targets/1/region", Value::Null, "targets[1].region"),
        ("/targets/1/colour", json!("red"), "targets[1].colour"),
        ("/policies/0/account", json!("a b"), "policies[0].account"),
        ("/policies/0/folder", json!("photos"), "policies[0].folder"),
        (
            "/policies/0/targets/0",
            json!("nowhere"),
            "policies[0].targets[0]",
        ),
    ] {
        let mut document = good();
        let (parent, member) = place.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(array) => array[member.parse::<usize>().unwrap()] = value,
            object => object[member] = value,
        }
        let error = Config::parse(&document.to_string()).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(!error.to_string().contains("very-secret"), "{error}");
    }
    for (text, field) in [
        ("very-secret", "the document"),
        ("{}", "the document"),
        (r#"{"targets": [{"name": "a"}]}"#, "targets[0]"),
    ] {
        let error = Config::parse(text).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(!error.to_string().contains("very-secret"), "{error}");
    }
    let error = Config::parse(r#"{"targets": [{"name": "a"}]}"#).unwrap_err();
    assert_eq!(error.problem, "missing field `kind`");
}
