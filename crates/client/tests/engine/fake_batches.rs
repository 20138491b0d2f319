//! Many files and folders in one request.

use crate::reply::Refusal;
use crate::world::World;
use serde_json::{Value, json};

/// `POST files/batch`.
pub(crate) fn batch(world: &mut World, request: &Value) -> Value {
    let items: Vec<String> = request["items"].as_array().unwrap().iter().map(id).collect();
    world.batches.push(items.clone());
    let results = items.into_iter().map(|id| {
        let done = item(world, request, &id);
        let unsure = world.unsure.iter().position(|unsure| *unsure == id);
        if let Some(index) = unsure {
            world.unsure.remove(index);
            return json!({ "id": id, "problem": problem((503, "unavailable")) });
        }
        match done {
            Ok(Value::Null) => json!({ "id": id, "open_uploads": 2, "mood": "good" }),
            Ok(node) => json!({ "id": id, "node": node }),
            Err(refusal) => json!({ "id": id, "problem": problem(refusal) }),
        }
    });
    json!({ "results": results.collect::<Vec<_>>() })
}

fn id(item: &Value) -> String {
    item["id"].as_str().unwrap().to_owned()
}

fn problem((status, code): Refusal) -> Value {
    json!({ "type": "t", "title": code, "status": status, "code": code, "detail": code, "message": format!("about {code}") })
}

fn item(world: &mut World, request: &Value, id: &str) -> Result<Value, Refusal> {
    let index = world.nodes.iter().position(|node| node["id"] == id);
    let index = index.ok_or((404, "not_found"))?;
    if request["op"] == "move" {
        world.nodes[index]["parent"] = request["parent"].clone();
        return Ok(world.nodes[index].clone());
    }
    world.nodes.remove(index);
    Ok(Value::Null)
}
