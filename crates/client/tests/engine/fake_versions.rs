//! What the first file had before.

use crate::fake_files::{NOW, replace};
use crate::reply::FakeResponse;
use crate::world::World;
use hyper::Method;
use serde_json::{Value, json};

/// Gives the first file another content; the one that it had becomes a version.
pub(crate) fn replace_keeping(world: &mut World, content: &[u8]) {
    let (number, old) = (current(world), world.objects["f1"].clone());
    world.objects.insert(format!("f1.{number}"), old);
    let version = content_of(&world.nodes[0], number, false);
    world.versions.insert(0, version);
    world.nodes[0]["number"] = json!(number + 1);
    replace(world, content);
}

/// The number of what the first file has.
fn current(world: &World) -> u64 {
    world.nodes[0]["number"].as_u64().unwrap_or(1)
}

fn content_of(node: &Value, number: u64, current: bool) -> Value {
    json!({
        "id": format!("f1.{number}"), "number": number, "current": current, "size": node["size"], "content_type": null,
        "content_id": node["content_id"], "created_at": NOW, "kept": false,
    })
}

/// Under which name the store has a content.
pub(crate) fn object(world: &World, id: &str, number: Option<&&str>) -> Option<String> {
    match number {
        None => Some(id.to_owned()),
        Some(number) if **number == current(world).to_string() => Some(id.to_owned()),
        Some(number) => at(world, &format!("{id}.{number}")).map(|_| format!("{id}.{number}")),
    }
}

fn at(world: &World, id: &str) -> Option<usize> {
    world.versions.iter().position(|version| version["id"] == id)
}

pub(crate) fn handle(world: &mut World, method: &Method, path: &[&str], request: &Value) -> FakeResponse {
    match (method, path) {
        (&Method::GET, ["files", "f1", "versions"]) => Ok((200, list(world))),
        (&Method::POST, ["versions", id, "restore"]) => restore(world, id),
        (&Method::PATCH, ["versions", id]) => update(world, id, request),
        (&Method::DELETE, ["versions", id]) => remove(world, id),
        _ => Err((404, "not_found")),
    }
}

fn list(world: &World) -> Value {
    let now = content_of(&world.nodes[0], current(world), true);
    let all: Vec<&Value> = [&now].into_iter().chain(&world.versions).collect();
    json!({"items": all, "next_cursor": null})
}

fn restore(world: &mut World, id: &str) -> FakeResponse {
    if world.nodes[0]["restored"] != id {
        let index = at(world, id).ok_or((404, "not_found"))?;
        world.versions.remove(index);
        let content = world.objects[id].clone();
        replace_keeping(world, &content);
        world.nodes[0]["restored"] = id.into();
    }
    Ok((200, world.nodes[0].clone()))
}

fn update(world: &mut World, id: &str, request: &Value) -> FakeResponse {
    let index = at(world, id).ok_or((404, "not_found"))?;
    world.versions[index]["kept"] = request["kept"].clone();
    Ok((200, world.versions[index].clone()))
}

fn remove(world: &mut World, id: &str) -> FakeResponse {
    let index = at(world, id).ok_or((404, "not_found"))?;
    world.versions.remove(index);
    Ok((204, Value::Null))
}
