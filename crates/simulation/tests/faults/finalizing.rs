//! `upload-complete`.

use crate::cast::{Cast, bytes, entries, file_of, had_another_content, has_one_file, text, used};
use crate::runner::Case;
use crate::uploads::begun;
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::gateway::Request;
use simulation::person::{PART, Person};

/// What an answer may be when a call failed: asked about again, not known, or given back.
const OTHERS: &[u16] = &[202, 409];

/// An upload whose parts are there.
pub(crate) async fn sent(person: &Person<'_>, wanted: Value, content: &Bytes) -> String {
    let upload = text(&begun(person, wanted).await["id"]);
    person.send_parts(&upload, content).await.expect("sent");
    upload
}

pub(crate) fn completion(person: &Person<'_>, upload: &str) -> Request {
    person.request("POST", format!("/v1/uploads/{upload}/complete"), None)
}

/// Asks until there is a file.
async fn complete(person: &Person<'_>, upload: &str) -> String {
    let done = person.complete(upload).await;
    assert_eq!(done.status, 200, "{done:?}");
    text(&done.body["file"]["id"])
}

/// Two parts become a blob and a file, once.
pub(crate) async fn new_content(cast: Cast<'_>) -> Case<'_> {
    let ada = cast.ada;
    let content = bytes(1, PART + 5);
    let upload = sent(&ada, json!({ "name": "a", "size": content.len() }), &content).await;
    Case::request(&completion(&ada, &upload), &[200], OTHERS).then(async move |_| {
        complete(&ada, &upload).await;
        has_one_file(&ada, "a", &content).await;
    })
}

/// The file refers to the blob that is there already, and what was sent is discarded.
pub(crate) async fn known_content(cast: Cast<'_>) -> Case<'_> {
    let Cast { ada, bob, .. } = cast;
    let content = bytes(1, 100);
    file_of(&bob, "first", None, &content).await;
    let upload = sent(&ada, json!({ "name": "a", "size": 100 }), &content).await;
    Case::request(&completion(&ada, &upload), &[200], OTHERS).then(async move |_| {
        complete(&ada, &upload).await;
        has_one_file(&ada, "a", &content).await;
        has_one_file(&bob, "first", &content).await;
    })
}

/// A file has its old content or its new one, and is the same file.
pub(crate) async fn replacing(cast: Cast<'_>) -> Case<'_> {
    let ada = cast.ada;
    let content = bytes(1, 100);
    let file = file_of(&ada, "a", None, &bytes(2, 70)).await;
    let wanted = json!({ "name": "a", "size": 100, "on_conflict": "replace" });
    let upload = sent(&ada, wanted, &content).await;
    Case::request(&completion(&ada, &upload), &[200], OTHERS).then(async move |_| {
        assert_eq!(complete(&ada, &upload).await, file);
        had_another_content(&ada, &file, 70).await;
        has_one_file(&ada, "a", &content).await;
    })
}

/// A finalize of one part that was killed by a fault at an operation, and its upload.
pub(crate) async fn killed(
    cast: &Cast<'_>,
    content: &Bytes,
    operation: &'static str,
    fault: simulation::cloud::Fault,
) -> String {
    let Cast { world, ada, .. } = cast;
    let upload = sent(ada, json!({ "name": "a", "size": content.len() }), content).await;
    let faults = simulation::cloud::Faults::by(move |call| (call.operation == operation).then_some(fault));
    world.cloud.set_faults(faults);
    let answer = crate::cast::ask(world, &completion(ada, &upload)).await;
    world.cloud.set_faults(simulation::cloud::Faults::none());
    assert_eq!(answer.status, 502, "killed");
    assert!(entries(ada, None).await.is_empty());
    assert_eq!(used(ada).await, content.len() as u64);
    upload
}
