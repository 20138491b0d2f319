//! Challenges and proofs, as the API documents them: the HMAC over the very bytes, computed here and not by the client.

use crate::content::MIB;
use crate::fake_files::place;
use crate::reply::FakeResponse;
use crate::world::{FakeUpload, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const LATER: &str = "2026-11-20T10:05:00Z";

/// What the owner of these bytes can prove, if somebody else has them.
pub(crate) fn challenge(world: &World, facts: &Value) -> Option<Value> {
    let size = facts["size"].as_u64().filter(|size| *size >= MIB as u64)?;
    world.foreign.get(facts["content_id"].as_str()?)?;
    let nonce = Sha256::digest(facts["id"].as_str()?);
    let ranges = [(0, 1), (4096, 4096), (size / 2 - 100_000, 200_000), (size - 7, 7)];
    let ranges = ranges.map(|(offset, length)| json!({"offset": offset, "length": length}));
    Some(
        json!({"algorithm": "HMAC-SHA256", "nonce": BASE64.encode(nonce), "ranges": ranges, "expires_at": LATER}),
    )
}

/// `POST uploads/{id}/proof`.
pub(crate) fn prove(world: &mut World, id: &str, request: &Value) -> FakeResponse {
    let proof = request["proof"]
        .as_str()
        .and_then(|text| BASE64.decode(text).ok());
    let Some(proof) = proof.filter(|proof| proof.len() == 32) else {
        return Err((400, "invalid_request"));
    };
    let Some(upload) = find(world, id) else {
        return Err((404, "not_found"));
    };
    if ["aborted", "expired"].contains(&upload.facts["state"].as_str().unwrap()) {
        return Err((409, "upload_not_open"));
    }
    // One try: whatever comes of it.
    let Some(challenge) = upload.challenge.take() else {
        return Ok((200, upload.facts.clone()));
    };
    upload.facts["state"] = "open".into();
    let facts = upload.facts.clone();
    let bytes = world.foreign[facts["content_id"].as_str().unwrap()].clone();
    if !is_right(&challenge, &bytes, &proof) {
        return Ok((200, facts));
    }
    let file = place(world, &facts, bytes)?;
    let upload = find(world, id).unwrap();
    upload.facts["state"] = "complete".into();
    upload.facts["file"] = file;
    Ok((200, upload.facts.clone()))
}

fn is_right(challenge: &Value, bytes: &[u8], proof: &[u8]) -> bool {
    let nonce = BASE64.decode(challenge["nonce"].as_str().unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&nonce).unwrap();
    for range in challenge["ranges"].as_array().unwrap() {
        let number = |name: &str| usize::try_from(range[name].as_u64().unwrap()).unwrap();
        mac.update(&bytes[number("offset")..][..number("length")]);
    }
    mac.verify_slice(proof).is_ok()
}

/// Sending parts gives the challenge up, and so does its time.
pub(crate) fn give_up(world: &mut World, id: &str) {
    if let Some(upload) = find(world, id)
        && upload.facts["state"] == "proof_required"
    {
        upload.challenge = None;
        upload.facts["state"] = "open".into();
    }
}

fn find<'a>(world: &'a mut World, id: &str) -> Option<&'a mut FakeUpload> {
    world.uploads.iter_mut().find(|upload| upload.facts["id"] == id)
}
