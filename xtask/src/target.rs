//! The replica targets of a stack on this machine, as `infra/embedded/deploy.py` takes them: entries of the targets
//! secret, and where it differs `reachable_at`, the endpoint as seen from outside of containers.

use crate::emulator::{Emulator, REGION};
use crate::tools;
use anyhow::{Context, Result};
use domain::targets::Config;
use serde_json::{Value, json};

/// The target of those who have no other: a second bucket in the emulator.
pub(crate) fn local(port: u16) -> Value {
    ceph_like(
        "local",
        &format!("http://127.0.0.1:{port}"),
        "longshore-replica",
        ("test", "test"),
    )
}

/// The same where the functions run in containers.
pub(crate) fn beside_containers(port: u16) -> Value {
    let mut target = ceph_like(
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
    Ok(ceph_like(
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
    let mut target = ceph_like("ceph", "http://ceph:8080", "longshore", keys);
    target["reachable_at"] = json!(reachable);
    Ok(target)
}

/// The OSS server of the tests, from its `oss.json`.
pub(crate) fn oss(about: &Value) -> Result<Value> {
    Ok(json!({
        "name": "oss",
        "kind": "oss",
        "endpoint": tools::text(about, "endpoint")?,
        "region": tools::text(about, "region")?,
        "bucket": tools::text(about, "bucket")?,
        // An address of numbers has no names below it.
        "addressing": "path",
        "access_key_id": tools::text(about, "access_key_id")?,
        "secret_access_key": tools::text(about, "secret_access_key")?,
    }))
}

fn ceph_like(name: &str, endpoint: &str, bucket: &str, keys: (&str, &str)) -> Value {
    json!({
        "name": name,
        "kind": "ceph",
        "endpoint": endpoint,
        "region": REGION,
        "bucket": bucket,
        "access_key_id": keys.0,
        "secret_access_key": keys.1,
    })
}

/// Refuses what functions would refuse, before anything is deployed.
///
/// # Errors
/// The field that is wrong.
pub(crate) fn check(targets: &[Value]) -> Result<()> {
    let mut entries = targets.to_vec();
    for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
        entry.remove("reachable_at");
    }
    Config::parse(&json!({ "targets": entries }).to_string()).context("these targets cannot be")?;
    Ok(())
}

/// As a person reads it.
pub(crate) fn shown(target: &Value) -> String {
    let text = |key: &str| target[key].as_str().unwrap_or_default();
    let (name, endpoint, bucket) = (text("name"), text("endpoint"), text("bucket"));
    format!("{name}: {endpoint}/{bucket}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stack_here_gets_is_a_good_document() {
        let about = |port: u16| {
            json!({
                "endpoint": format!("http://127.0.0.1:{port}"), "bucket": "b", "region": "cn-hangzhou",
                "access_key_id": "i", "secret_access_key": "s",
            })
        };
        let (ceph, oss) = (ceph(&about(4571)).unwrap(), oss(&about(4591)).unwrap());
        let mut targets = vec![local(4566), ceph, oss];
        check(&targets).unwrap();
        check(&[beside_containers(4566)]).unwrap();
        targets[2]["region"] = json!("oss-cn-hangzhou");
        let error = check(&targets).unwrap_err();
        assert!(format!("{error:#}").contains("targets[2].region"), "{error:#}");
    }
}
