//! What makes uploads, folders and files: once for each idempotency key, and under a name that is free.

use crate::fake_files::{NOW, PART, named, place};
use crate::fake_proofs;
use crate::reply::{FakeResponse, Reply, answer, problem, reply};
use crate::world::{FakeUpload, World};
use hyper::http::request::Parts;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Does what was not done yet under this key, and answers the same as then if it was.
pub(crate) fn once(
    world: &mut World,
    head: &Parts,
    bytes: &[u8],
    make: fn(&mut World, &Value) -> FakeResponse,
) -> Reply {
    let key = head.headers.get("idempotency-key");
    let Some(key) = key.and_then(|key| key.to_str().ok()).map(str::to_owned) else {
        return problem(400, "invalid_request");
    };
    world.keys.push(key.clone());
    if let Some((body, status, value)) = world.answered.get(&key) {
        if body != bytes {
            return problem(422, "idempotency_key_reused");
        }
        return answer(*status, value);
    }
    let made = make(world, &serde_json::from_slice(bytes).unwrap());
    if let Ok((status, value)) = &made {
        world
            .answered
            .insert(key, (bytes.to_owned(), *status, value.clone()));
    }
    reply(made)
}

pub(crate) fn create_folder(world: &mut World, request: &Value) -> FakeResponse {
    if let Some(happen) = world.meanwhile.take() {
        happen(world);
    }
    if named(world, request).is_some() {
        return Err((409, "name_taken"));
    }
    let id = format!("d{}", world.nodes.len() + 1);
    let node = json!({"id": id, "kind": "folder", "name": request["name"], "parent": request["parent"], "created_at": NOW});
    world.nodes.push(node.clone());
    Ok((201, node))
}

pub(crate) fn create(world: &mut World, request: &Value) -> FakeResponse {
    let on_conflict = request["on_conflict"].as_str().unwrap_or("fail");
    if on_conflict == "fail" && named(world, request).is_some() {
        return Err((409, "name_taken"));
    }
    let size = usize::try_from(request["size"].as_u64().unwrap()).unwrap();
    let id = format!("u{}", world.uploads.len() + 1);
    let mut facts = json!({
        "id": id, "state": "open", "name": request["name"], "parent": request["parent"], "size": size,
        "part_size": PART, "part_count": size.div_ceil(PART).max(1), "content_id": request["content_id"],
        "on_conflict": on_conflict, "created_at": NOW, "expires_at": NOW,
    });
    let same = world
        .nodes
        .iter()
        .find(|node| node["content_id"] == request["content_id"])
        .cloned();
    if let Some(same) = same {
        let bytes = world.objects[same["id"].as_str().unwrap()].clone();
        let file = place(world, &facts, bytes)?;
        facts["state"] = "complete".into();
        facts["file"] = file;
    }
    let challenge = (facts["state"] == "open")
        .then(|| fake_proofs::challenge(world, &facts))
        .flatten();
    if challenge.is_some() {
        facts["state"] = "proof_required".into();
    }
    world.uploads.push(FakeUpload {
        facts: facts.clone(),
        challenge: challenge.clone(),
        parts: BTreeMap::new(),
    });
    if let Some(challenge) = challenge {
        facts["challenge"] = challenge;
        if let Some(happen) = world.meanwhile.take() {
            happen(world);
        }
        return Ok((200, facts));
    }
    Ok((201, facts))
}
