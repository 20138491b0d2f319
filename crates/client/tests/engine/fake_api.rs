//! The API: as much of it as the client needs, in its own words rather than with the client's types.

use crate::fake_creates::{create, create_folder, once};
use crate::fake_files::{NOW, content_id, place};
use crate::fake_store::digest;
use crate::reply::{Reply, answer, body, problem, problem_with, reply};
use crate::world::{FakeUpload, NEXT_REFRESH, REFRESH, SIGNATURE, TOKEN, World};
use crate::{fake_batches, fake_proofs, fake_targets, fake_versions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::{AUTHORIZATION, LOCATION};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::{Value, json};
use std::collections::HashMap;

/// `POST uploads/u1/complete`.
pub(crate) fn line(head: &Parts) -> String {
    let path = head
        .uri
        .path()
        .split_once("/v1/")
        .map_or("nowhere", |(_, path)| path);
    format!("{} {path}", head.method)
}

pub(crate) fn handle(world: &mut World, head: &Parts, bytes: &[u8], address: &str) -> Reply {
    let path = head.uri.path().split_once("/v1/").map_or("", |(_, path)| path);
    let query: HashMap<&str, &str> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let request: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let segments: Vec<&str> = path.split('/').collect();
    let token = head
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let is_good = token == Some(&format!("Bearer {TOKEN}")) && world.sign_outs == 0;
    if !is_good && (segments[0] != "sessions" || head.method == Method::DELETE) {
        return problem(401, "unauthorized");
    }
    let most = if segments == ["files"] { 1000 } else { 100 };
    if query
        .get("limit")
        .is_some_and(|limit| !(1..=most).contains(&limit.parse().unwrap_or(0)))
    {
        return problem(400, "invalid_request");
    }
    if let Some(presented) = request["refresh_token"].as_str() {
        world.exchanged.push(presented.to_owned());
    }
    match (&head.method, segments.as_slice()) {
        (&Method::POST, ["sessions"]) if request["password"] == "right" => answer(
            201,
            &json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": REFRESH, "refresh_expires_at": "2099-01-01T00:00:00Z"}),
        ),
        (&Method::POST, ["sessions", "refresh"]) if request["refresh_token"] == REFRESH => answer(
            200,
            &json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": NEXT_REFRESH, "refresh_expires_at": "2099-01-01T00:00:00Z"}),
        ),
        (&Method::POST, ["sessions", ..]) => problem(401, "unauthorized"),
        (&Method::DELETE, ["sessions", ..]) => {
            world.sign_outs += 1;
            answer(204, &Value::Null)
        }
        (&Method::POST, ["accounts"]) => answer(
            201,
            &json!({"id": "a1", "username": request["username"], "quota_bytes": 1, "used_bytes": 0, "created_at": NOW}),
        ),
        (&Method::GET, ["account"]) => answer(
            200,
            &json!({"id": "a1", "username": "ada", "quota_bytes": 1, "used_bytes": 0, "created_at": NOW,
                "role": if world.operator { "operator" } else { "user" }}),
        ),
        (&Method::POST, ["uploads"]) => once(world, head, bytes, create),
        (&Method::POST, ["uploads", id, "proof"]) => reply(fake_proofs::prove(world, id, &request)),
        (&Method::GET, ["uploads"]) => list(world, &query),
        (&Method::GET, ["uploads", id]) => upload(world, id).map_or_else(
            || problem(404, "not_found"),
            |upload| {
                let mut facts = upload.facts.clone();
                facts["received"] = received(upload);
                if let Some(challenge) = &upload.challenge {
                    facts["challenge"] = challenge.clone();
                }
                answer(200, &facts)
            },
        ),
        (&Method::POST, ["uploads", id, "parts"]) => sign(world, id, &request, address),
        (&Method::POST, ["uploads", id, "complete"]) => complete(world, id, &request),
        (&Method::POST, ["folders"]) => once(world, head, bytes, create_folder),
        (&Method::GET, ["files"]) => {
            let parent = match query.get("path").filter(|_| !world.ignores_paths) {
                None => query.get("parent").map(|&parent| parent.to_owned()),
                Some(path) => match at(world, path) {
                    None => return problem(404, "not_found"),
                    folder => folder,
                },
            };
            let wanted = |node: &&Value| {
                node["parent"].as_str() == parent.as_deref()
                    && query.get("name").is_none_or(|name| node["name"] == *name)
            };
            let items: Vec<&Value> = world.nodes.iter().filter(wanted).collect();
            answer(200, &json!({"items": items, "next_cursor": null}))
        }
        (&Method::POST, ["files", "batch"]) => answer(200, &fake_batches::batch(world, &request)),
        (&Method::GET, ["files", id]) => match world.nodes.iter().find(|node| node["id"] == *id) {
            Some(node) => answer(200, node),
            None => problem(404, "not_found"),
        },
        (&Method::GET, ["files", id, "content"]) => content(world, id, query.get("number"), address),
        (method, ["files", _, "versions"] | ["versions", ..]) => {
            reply(fake_versions::handle(world, method, &segments, &request))
        }
        (&Method::GET, ["targets"]) => reply(fake_targets::list(world)),
        (&Method::POST, ["targets", name, "redrive"]) => reply(fake_targets::redrive(world, name)),
        (&Method::DELETE, ["files", id]) => remove(world, id),
        _ => problem(404, "not_found"),
    }
}

/// The id of the folder with this path.
fn at(world: &World, path: &str) -> Option<String> {
    let mut id: Option<String> = None;
    let path = path.replace("%2F", "/");
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let is_it = |node: &&Value| node["parent"].as_str() == id.as_deref() && node["name"] == name;
        id = Some(world.nodes.iter().find(is_it)?["id"].as_str()?.to_owned());
    }
    id
}

fn remove(world: &mut World, id: &str) -> Reply {
    let Some(index) = world.nodes.iter().position(|node| node["id"] == id) else {
        return problem(404, "not_found");
    };
    world.nodes.remove(index);
    let into = |upload: &&FakeUpload| upload.facts["parent"] == id && upload.facts["state"] == "open";
    match world.uploads.iter().filter(into).count() {
        0 => Response::builder().status(204).body(body(Vec::new())).unwrap(),
        open => answer(200, &json!({"open_uploads": open})),
    }
}

/// Redirects to the object here, or where a copy of it is.
fn content(world: &mut World, id: &str, number: Option<&&str>, address: &str) -> Reply {
    let Some(id) = fake_versions::object(world, id, number) else {
        return problem(404, "not_found");
    };
    world.signed += 1;
    let serial = world.signed;
    let url = if world.objects.contains_key(&id) {
        format!("{address}/store/{id}?X-Amz-Signature={SIGNATURE}&serial={serial}")
    } else if let Some(place) = world.elsewhere.get((serial - 1) % world.elsewhere.len().max(1)) {
        format!("{place}/store/{id}?x-oss-signature={SIGNATURE}&serial={serial}")
    } else {
        return problem(503, "unavailable");
    };
    Response::builder()
        .status(307)
        .header(LOCATION, url)
        .body(body(Vec::new()))
        .unwrap()
}

fn set_state(world: &mut World, id: &str, state: &str) {
    let upload = world
        .uploads
        .iter_mut()
        .find(|upload| upload.facts["id"] == id)
        .unwrap();
    upload.facts["state"] = state.into();
}

fn upload<'a>(world: &'a World, id: &str) -> Option<&'a FakeUpload> {
    world.uploads.iter().find(|upload| upload.facts["id"] == id)
}

fn received(upload: &FakeUpload) -> Value {
    let part = |(number, (digest, bytes)): (&u32, &(String, Vec<u8>))| json!({"number": number, "size": bytes.len(), "sha256": digest});
    upload.parts.iter().map(part).collect()
}

/// One per page, so that paging is exercised.
fn list(world: &World, query: &HashMap<&str, &str>) -> Reply {
    let live: Vec<&Value> = world
        .uploads
        .iter()
        .map(|upload| &upload.facts)
        .filter(|facts| ["proof_required", "open", "finalizing"].contains(&facts["state"].as_str().unwrap()))
        .collect();
    let page: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let next = (page + 1 < live.len()).then(|| (page + 1).to_string());
    answer(
        200,
        &json!({"items": live.get(page).into_iter().collect::<Vec<_>>(), "next_cursor": next}),
    )
}

fn sign(world: &mut World, id: &str, request: &Value, address: &str) -> Reply {
    fake_proofs::give_up(world, id);
    match upload(world, id) {
        None => return problem(404, "not_found"),
        Some(upload) if upload.facts["state"] != "open" => return problem(409, "upload_not_open"),
        Some(_) => {}
    }
    let mut parts = Vec::new();
    for part in request["parts"].as_array().unwrap() {
        world.signed += 1;
        let (number, sum) = (&part["number"], part["sha256"].as_str().unwrap());
        let bound = sum.replace(['+', '/', '='], "_");
        let serial = world.signed;
        let url =
            format!("{address}/store/{id}/{number}?X-Amz-Signature={SIGNATURE}&serial={serial}&sum={bound}");
        parts.push(json!({
            "number": number, "url": url, "headers": {"x-amz-checksum-sha256": sum, "host": "somewhere"},
            "expires_at": NOW,
        }));
    }
    // A server may answer in any order.
    parts.reverse();
    answer(200, &json!({"parts": parts}))
}

fn complete(world: &mut World, id: &str, destination: &Value) -> Reply {
    world.destinations.push(destination.clone());
    fake_proofs::give_up(world, id);
    let lose = std::mem::take(&mut world.lose);
    let Some(upload) = world.uploads.iter_mut().find(|upload| upload.facts["id"] == id) else {
        return problem(404, "not_found");
    };
    if upload.facts["state"] == "complete" {
        return answer(200, &upload.facts);
    }
    upload.parts.retain(|number, _| !lose.contains(number));
    let count = u32::try_from(upload.facts["part_count"].as_u64().unwrap()).unwrap();
    let missing: Vec<u32> = (1..=count)
        .filter(|number| !upload.parts.contains_key(number))
        .collect();
    if !missing.is_empty() {
        let first: Vec<_> = missing.iter().take(1).collect();
        return problem_with(
            409,
            "parts_missing",
            &json!({"missing": first, "missing_count": missing.len()}),
        );
    }
    if world.not_yet > 0 {
        world.not_yet -= 1;
        upload.facts["state"] = "finalizing".into();
        return answer(202, &upload.facts);
    }
    let bytes: Vec<u8> = upload
        .parts
        .values()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let announced = &upload.facts["content_id"];
    if !announced.is_null() && announced != content_id(&bytes).as_str() {
        return problem(409, "content_mismatch");
    }
    // Checks that the digests the store keeps are what the id is made of.
    let raw: Vec<u8> = upload
        .parts
        .values()
        .flat_map(|(digest, _)| BASE64.decode(digest).unwrap())
        .collect();
    assert_eq!(format!("{}-{count}", digest(&raw)), content_id(&bytes));
    let mut facts = upload.facts.clone();
    if let Some(destination) = destination.as_object() {
        facts.as_object_mut().unwrap().extend(destination.clone());
    }
    let is_there = |parent: &str| world.nodes.iter().any(|node| node["id"] == parent);
    if facts["parent"].as_str().is_some_and(|parent| !is_there(parent)) {
        return problem(409, "parent_not_found");
    }
    let file = match place(world, &facts, bytes) {
        Ok(file) => file,
        Err((status, code)) => {
            set_state(world, id, "open");
            return problem(status, code);
        }
    };
    let upload = world
        .uploads
        .iter_mut()
        .find(|upload| upload.facts["id"] == id)
        .unwrap();
    upload.facts["state"] = "complete".into();
    upload.facts["file"] = file;
    answer(200, &upload.facts)
}
