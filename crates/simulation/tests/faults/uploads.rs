//! `upload-create`.

use crate::cast::{Cast, ask, bytes, entries, file_of, items, used};
use crate::runner::Case;
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::gateway::Request;
use simulation::person::{Person, content_id};

/// The least that a challenge is about.
pub(crate) const PROVABLE: usize = 1024 * 1024;

fn announced_as(bytes: &Bytes) -> Value {
    json!({ "name": "b", "size": bytes.len(), "content_id": content_id(bytes) })
}

fn under(key: &str, request: Request) -> Request {
    Request {
        key: Some(key.to_owned()),
        ..request
    }
}

/// There is an upload with its reservation, or neither; and the next try makes one more.
fn another<'w>(cast: Cast<'w>, body: Value, good: &'static [u16], also: &'static [u16]) -> Case<'w> {
    let Cast { world, ada, .. } = cast;
    let size = body["size"].as_u64().expect("a size");
    let request = ada.request("POST", "/v1/uploads", Some(body));
    Case::request(&request, good, also).then(async move |answer| {
        let made = items(&ada, "/v1/uploads").await.len();
        assert!(
            made == 1 || made == 0 && !good.contains(&answer.status),
            "{made}, {answer:?}"
        );
        let again = ask(world, &request).await;
        assert!(good.contains(&again.status), "{again:?}");
        assert_eq!(items(&ada, "/v1/uploads").await.len(), made + 1);
        assert_eq!(used(&ada).await, size * (made as u64 + 1));
    })
}

/// Nothing is said about the content.
pub(crate) async fn new(cast: Cast<'_>) -> Case<'_> {
    another(cast, json!({ "name": "a", "size": 1000 }), &[201], &[])
}

/// The content is new.
pub(crate) async fn announced(cast: Cast<'_>) -> Case<'_> {
    another(cast, announced_as(&bytes(1, PROVABLE)), &[201], &[])
}

/// Somebody else has the bytes: there is an upload with a challenge.
pub(crate) async fn anothers(cast: Cast<'_>) -> Case<'_> {
    let content = bytes(1, PROVABLE);
    file_of(&cast.bob, "a", None, &content).await;
    // Where it cannot be found out whether the content is there, the bytes can still be sent.
    another(cast, announced_as(&content), &[200], &[201])
}

/// The account has the bytes: there is one file more, or none.
pub(crate) async fn own(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let content = bytes(1, 100);
    file_of(&ada, "a", None, &content).await;
    let request = ada.request("POST", "/v1/uploads", Some(announced_as(&content)));
    Case::request(&request, &[201], &[409]).then(async move |answer| {
        let before = entries(&ada, None).await.len();
        assert!(
            before == 2 || before == 1 && answer.status != 201,
            "{before}, {answer:?}"
        );
        let again = ask(world, &request).await;
        assert_eq!(again.status, if before == 2 { 409 } else { 201 }, "{again:?}");
        assert_eq!(entries(&ada, None).await.len(), 2);
        assert_eq!(used(&ada).await, 200);
    })
}

/// With an `Idempotency-Key` there is one, however often it is asked for, and one answer.
async fn same_again(
    cast_world: &simulation::world::World,
    request: &Request,
    first: simulation::gateway::Response,
) -> Value {
    let again = ask(cast_world, request).await;
    assert_eq!(again.status, 201, "{again:?}");
    if first.status == 201 {
        assert_eq!(first.body, again.body);
    }
    assert_eq!(ask(cast_world, request).await.body, again.body);
    again.body
}

/// One upload.
pub(crate) async fn under_key(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let body = json!({ "name": "a", "size": 1000 });
    let request = under("k", ada.request("POST", "/v1/uploads", Some(body)));
    Case::request(&request, &[201], &[]).then(async move |first| {
        let made = same_again(world, &request, first).await;
        let uploads = items(&ada, "/v1/uploads").await;
        assert_eq!(uploads.len(), 1, "{uploads:?}");
        assert_eq!(uploads[0]["id"], made["id"]);
        assert_eq!(used(&ada).await, 1000);
    })
}

/// One more file of content that the account has.
pub(crate) async fn own_under_key(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let content = bytes(1, 100);
    file_of(&ada, "a", None, &content).await;
    let mut body = announced_as(&content);
    body["name"] = json!("a");
    body["on_conflict"] = json!("rename");
    let request = under("k", ada.request("POST", "/v1/uploads", Some(body)));
    Case::request(&request, &[201], &[]).then(async move |first| {
        let made = same_again(world, &request, first).await;
        let files = entries(&ada, None).await;
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(
            files
                .iter()
                .any(|file| file["id"] == made["file"]["id"] && file["name"] == "a (1)"),
            "{files:?}"
        );
        assert_eq!(used(&ada).await, 200);
    })
}

/// Begins an upload, and says its id.
pub(crate) async fn begun(person: &Person<'_>, wanted: Value) -> Value {
    let begun = person.call("POST", "/v1/uploads", Some(wanted)).await;
    assert!([200, 201].contains(&begun.status), "{begun:?}");
    begun.body
}
