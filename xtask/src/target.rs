//! The replica target of a stack on this machine, as `infra/embedded/deploy.py` takes it: an entry of the targets
//! secret, and where it differs `reachable_at`, the endpoint as seen from outside of containers.

use crate::emulator::{Emulator, REGION};
use crate::tools;
use anyhow::Result;
use serde_json::{Value, json};

/// The target of those who have no other: a second bucket in the emulator.
pub(crate) fn local(port: u16) -> Value {
    entry(
        "local",
        &format!("http://127.0.0.1:{port}"),
        "longshore-replica",
        ("test", "test"),
    )
}

/// The same where the functions run in containers.
pub(crate) fn beside_containers(port: u16) -> Value {
    let mut target = entry(
        "local",
        "http://localstack:4566",
        "longshore-replica",
        ("test", "test"),
    );
    target["reachable_at"] = json!(format!("http://127.0.0.1:{port}"));
    target
}

/// The real Ceph, from its `ceph.json`.
pub(crate) fn ceph(about: &Value) -> Result<Value> {
    let keys = (
        tools::text(about, "access_key_id")?,
        tools::text(about, "secret_access_key")?,
    );
    Ok(entry(
        "ceph",
        tools::text(about, "endpoint")?,
        tools::text(about, "bucket")?,
        keys,
    ))
}

/// A Ceph in a container beside LocalStack's; names and keys as in `infra/localstack/compose.yaml`.
pub(crate) fn ceph_container(emulator: &Emulator, port: u16) -> Result<Value> {
    let reachable = emulator.start_ceph_container(port)?;
    let keys = ("longshore", "longshore-demo-secret");
    let mut target = entry("ceph", "http://ceph:8080", "longshore", keys);
    target["reachable_at"] = json!(reachable);
    Ok(target)
}

fn entry(name: &str, endpoint: &str, bucket: &str, keys: (&str, &str)) -> Value {
    json!({
        "name": name,
        "kind": "ceph",
        "endpoint": endpoint,
        "region": REGION,
        "bucket": bucket,
        "prefix": "",
        "access_key_id": keys.0,
        "secret_access_key": keys.1,
        "path_style": true,
    })
}

/// As the template's parameter `ReplicaTargets` names it.
pub(crate) fn parameter(target: &Value) -> String {
    format!("{}:{}", text(target, "name"), text(target, "kind"))
}

/// As a person reads it.
pub(crate) fn shown(target: &Value) -> String {
    let (name, endpoint, bucket) = (
        text(target, "name"),
        text(target, "endpoint"),
        text(target, "bucket"),
    );
    format!("{name}: {endpoint}/{bucket}")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
