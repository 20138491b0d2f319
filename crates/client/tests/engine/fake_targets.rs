//! The API's part for operators: targets, and trying again what was given up there.

use crate::reply::FakeResponse;
use crate::world::World;
use serde_json::{Value, json};

/// How many replicas one call redrives.
pub(crate) const AT_ONCE: u64 = 2;

/// A target with so many replicas given up, as the API shows it.
pub(crate) fn target(name: &str, failed: u64) -> Value {
    json!({
        "name": name, "kind": "ceph", "status": "active", "circuit": {"state": "closed", "failures": 0},
        "pending": 0, "pending_bytes": 0, "failed": failed, "failed_bytes": failed * 10, "available": 0,
        "available_bytes": 0, "lag_seconds": 0, "bytes_per_second": 0,
    })
}

pub(crate) fn list(world: &World) -> FakeResponse {
    for_operators(world)?;
    Ok((200, json!({"items": world.targets, "next_cursor": null})))
}

pub(crate) fn redrive(world: &mut World, name: &str) -> FakeResponse {
    for_operators(world)?;
    let target = world.targets.iter_mut().find(|target| target["name"] == name);
    let target = target.ok_or((404, "not_found"))?;
    let failed = target["failed"].as_u64().unwrap();
    let redriven = failed.min(AT_ONCE);
    target["failed"] = json!(failed - redriven);
    target["pending"] = json!(target["pending"].as_u64().unwrap() + redriven);
    Ok((200, json!({"redriven": redriven, "more": failed > redriven})))
}

fn for_operators(world: &World) -> Result<(), (u16, &'static str)> {
    if world.operator {
        Ok(())
    } else {
        Err((403, "forbidden"))
    }
}
