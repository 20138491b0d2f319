//! What happens to an upload before it is completed: `upload-sign-parts`, `upload-get`, `upload-prove`, `upload-abort`.

use crate::cast::{Cast, ask, bytes, file_of, had_another_content, has_one_file, text, used};
use crate::runner::Case;
use crate::uploads::{PROVABLE, begun};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::content::PartDigest;
use serde_json::json;
use simulation::gateway::Response;
use simulation::person::{Person, content_id, proof};
use simulation::world::BUCKET;

/// At most one multipart upload is recorded, and the upload can be ended, whatever was begun.
pub(crate) async fn sign(cast: Cast<'_>) -> Case<'_> {
    let Cast { ada, .. } = cast;
    let content = bytes(1, 10);
    let upload = text(&begun(&ada, json!({ "name": "a", "size": 10 })).await["id"]);
    let parts = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(&content) }] });
    let request = ada.request("POST", format!("/v1/uploads/{upload}/parts"), Some(parts));
    Case::request(&request, &[200], &[]).then(async move |_| {
        send(&ada, &upload, &content).await;
        has_one_file(&ada, "a", &content).await;
    })
}

/// Sends the bytes and completes.
async fn send(person: &Person<'_>, upload: &str, content: &Bytes) {
    person.send_parts(upload, content).await.expect("sent");
    let done = person.complete(upload).await;
    assert_eq!(done.status, 200, "{done:?}");
}

/// The store has lost the parts: they can be sent again, whichever call finds that out and is stopped.
pub(crate) async fn look_at_lost_parts(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let content = bytes(1, 10);
    let upload = text(&begun(&ada, json!({ "name": "a", "size": 10 })).await["id"]);
    ada.send_parts(&upload, &content).await.expect("sent");
    world.cloud.services().s3.remove_uploads(BUCKET);
    let request = ada.request("GET", format!("/v1/uploads/{upload}"), None);
    Case::request(&request, &[200], &[]).then(async move |_| {
        let shown = ask(world, &request).await;
        assert_eq!(
            (shown.status, &shown.body["received"]),
            (200, &json!([])),
            "{shown:?}"
        );
        send(&ada, &upload, &content).await;
        has_one_file(&ada, "a", &content).await;
    })
}

/// Aborting again ends it: the reservation is given back once, and nothing is left at the store.
pub(crate) async fn abort(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let content = bytes(1, 100);
    let upload = text(&begun(&ada, json!({ "name": "a", "size": 100 })).await["id"]);
    ada.send_parts(&upload, &content).await.expect("sent");
    let request = ada.request("DELETE", format!("/v1/uploads/{upload}"), None);
    Case::request(&request, &[204], &[]).then(async move |answer| {
        assert!(answer.status != 204 || used(&ada).await == 0);
        let again = ask(world, &request).await;
        assert_eq!(again.status, 204, "{again:?}");
        assert_eq!(used(&ada).await, 0);
    })
}

/// Somebody who is asked for a proof of bytes that somebody else has.
async fn asked(cast: &Cast<'_>, content: &Bytes, on_conflict: &str) -> (String, String) {
    file_of(&cast.bob, "a", None, content).await;
    let wanted = json!({
        "name": "b", "size": content.len(), "content_id": content_id(content), "on_conflict": on_conflict,
    });
    let upload = begun(&cast.ada, wanted).await;
    let proof = proof(&upload["challenge"], content).expect("a challenge");
    (format!("/v1/uploads/{}", text(&upload["id"])), proof)
}

fn answered(person: &Person<'_>, upload: &str, proof: &str) -> simulation::gateway::Request {
    person.request("POST", format!("{upload}/proof"), Some(json!({ "proof": proof })))
}

fn is_complete(answer: &Response) {
    assert_eq!(
        (answer.status, &answer.body["state"]),
        (200, &json!("complete")),
        "{answer:?}"
    );
}

/// The file is there or it is not, and a client with the bytes gets it in the end.
pub(crate) async fn prove(cast: Cast<'_>) -> Case<'_> {
    let content = bytes(1, PROVABLE);
    let (upload, proof) = asked(&cast, &content, "fail").await;
    let Cast { world, ada, .. } = cast;
    let request = answered(&ada, &upload, &proof);
    Case::request(&request, &[200], &[]).then(async move |answer| {
        assert!(
            answer.status != 200 || answer.body["state"] == "complete",
            "{answer:?}"
        );
        is_complete(&ask(world, &request).await);
        has_one_file(&ada, "b", &content).await;
    })
}

/// The file has its old content or the one that was proven, and is the same file.
pub(crate) async fn prove_replacing(cast: Cast<'_>) -> Case<'_> {
    let content = bytes(1, PROVABLE);
    let file = file_of(&cast.ada, "b", None, &bytes(2, 70)).await;
    let (upload, proof) = asked(&cast, &content, "replace").await;
    let Cast { world, ada, .. } = cast;
    let request = answered(&ada, &upload, &proof);
    Case::request(&request, &[200], &[]).then(async move |_| {
        let again = ask(world, &request).await;
        is_complete(&again);
        assert_eq!(again.body["file"]["id"], file.as_str());
        had_another_content(&ada, &file, 70).await;
        has_one_file(&ada, "b", &content).await;
    })
}

/// However the wrong answer came, there is no file, and the bytes can be sent.
pub(crate) async fn prove_wrong(cast: Cast<'_>) -> Case<'_> {
    let content = bytes(1, PROVABLE);
    let (upload, right) = asked(&cast, &content, "fail").await;
    let Cast { world, ada, .. } = cast;
    let mut wrong = BASE64_STANDARD.decode(&right).expect("base64");
    wrong[31] ^= 1;
    let request = answered(&ada, &upload, &BASE64_STANDARD.encode(wrong));
    Case::request(&request, &[200], &[]).then(async move |_| {
        let is_open = |answer: &Response| {
            assert_eq!(
                (answer.status, &answer.body["state"]),
                (200, &json!("open")),
                "{answer:?}"
            );
        };
        is_open(&ask(world, &request).await);
        // The right one comes too late: there was one try.
        is_open(&ask(world, &answered(&ada, &upload, &right)).await);
        let id = upload.rsplit('/').next().unwrap_or_default();
        send(&ada, id, &content).await;
        has_one_file(&ada, "b", &content).await;
    })
}
