//! The files that there are, and where new ones may go.

use crate::fake_store::digest;
use crate::reply::Refusal;
use crate::world::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const PART: usize = 8 * 1024 * 1024;
pub(crate) const NOW: &str = "2026-11-20T10:00:00Z";

/// The content id of bytes, by the formula in the documentation.
pub(crate) fn content_id(bytes: &[u8]) -> String {
    let parts: Vec<&[u8]> = if bytes.is_empty() {
        vec![bytes]
    } else {
        bytes.chunks(PART).collect()
    };
    let digests: Vec<u8> = parts.iter().flat_map(Sha256::digest).collect();
    format!("{}-{}", digest(&digests), parts.len())
}

/// Puts a file there as if it had been uploaded.
pub(crate) fn add_file(world: &mut World, name: &str, parent: Option<&str>, bytes: Vec<u8>) -> Value {
    let id = format!("f{}", world.nodes.len() + 1);
    let node = json!({
        "id": id, "kind": "file", "name": name, "parent": parent, "size": bytes.len(), "content_type": null,
        "content_id": content_id(&bytes), "created_at": NOW, "updated_at": NOW,
        "replicas": [{"target": "ceph-1", "kind": "ceph", "state": "pending", "bytes_done": 0, "attempts": 0,
            "since": NOW, "lag_seconds": 0, "updated_at": NOW}],
    });
    world.objects.insert(id, bytes);
    world.nodes.push(node.clone());
    node
}

/// Gives the first file another content.
pub(crate) fn replace(world: &mut World, content: &[u8]) {
    world.nodes[0]["content_id"] = content_id(content).into();
    world.nodes[0]["size"] = content.len().into();
    world.objects.insert("f1".into(), content.to_vec());
}

pub(crate) fn named<'a>(world: &'a World, request: &Value) -> Option<&'a Value> {
    world
        .nodes
        .iter()
        .find(|node| node["name"] == request["name"] && node["parent"] == request["parent"])
}

/// Makes the file of an upload, where it may go.
pub(crate) fn place(world: &mut World, facts: &Value, bytes: Vec<u8>) -> Result<Value, Refusal> {
    let (name, parent) = (facts["name"].as_str().unwrap(), facts["parent"].as_str());
    let there = named(world, facts).map(|node| (node["id"].clone(), node["kind"] == "file"));
    match (there, facts["on_conflict"].as_str()) {
        (None, _) => Ok(add_file(world, name, parent, bytes)),
        (Some(_), Some("rename")) => {
            let (stem, extension) = name.rsplit_once('.').unwrap();
            let free = (1..).map(|number| format!("{stem} ({number}).{extension}"));
            let mut free =
                free.filter(|name| named(world, &json!({"name": name, "parent": parent})).is_none());
            let name = free.next().unwrap();
            Ok(add_file(world, &name, parent, bytes))
        }
        (Some((id, true)), Some("replace")) => {
            world.nodes.retain(|node| node["id"] != id);
            let mut node = add_file(world, name, parent, bytes.clone());
            world.objects.insert(id.as_str().unwrap().to_owned(), bytes);
            node["id"] = id;
            *world.nodes.last_mut().unwrap() = node.clone();
            Ok(node)
        }
        _ => Err((409, "name_taken")),
    }
}
