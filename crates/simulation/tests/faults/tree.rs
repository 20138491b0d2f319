//! Folders, and what is deleted.

use crate::cast::{
    Cast, ask, bytes, entries, file_of, folder, had_another_content, has_one_file, items, text, used,
};
use crate::runner::Case;
use bytes::Bytes;
use serde_json::json;
use simulation::gateway::Request;
use simulation::person::Person;

/// There is one folder in the end, and one answer.
pub(crate) async fn make_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let parent = folder(&ada, "f", None).await;
    let wanted = json!({ "name": "a", "parent": parent, "on_conflict": "rename" });
    let request = Request {
        key: Some("k".to_owned()),
        ..ada.request("POST", "/v1/folders", Some(wanted))
    };
    Case::request(&request, &[201], &[]).then(async move |first| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 201, "{again:?}");
        if first.status == 201 {
            assert_eq!(first.body, again.body);
        }
        let inside = entries(&ada, Some(&parent)).await;
        assert_eq!(inside.len(), 1, "{inside:?}");
        assert_eq!(
            (&inside[0]["id"], &inside[0]["name"]),
            (&again.body["id"], &json!("a"))
        );
    })
}

/// It is in one of both folders, and in the end in the other one; each counts what it has.
pub(crate) async fn move_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let (from, to) = (folder(&ada, "f", None).await, folder(&ada, "g", None).await);
    let file = file_of(&ada, "a", Some(&from), &bytes(1, 100)).await;
    file_of(&ada, "b", Some(&to), &bytes(2, 50)).await;
    let wanted = json!({ "name": "b", "parent": to, "on_conflict": "rename" });
    let request = ada.request("PATCH", format!("/v1/files/{file}"), Some(wanted));
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["name"]),
            (200, &json!("b (1)")),
            "{again:?}"
        );
        assert!(entries(&ada, Some(&from)).await.is_empty());
        assert_eq!(entries(&ada, Some(&to)).await.len(), 2);
        assert_eq!(used(&ada).await, 150);
    })
}

/// The other file is in the trash.
pub(crate) async fn replace_by_moving(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let content = bytes(1, 100);
    let file = file_of(&ada, "a", Some(&inside), &content).await;
    file_of(&ada, "b", None, &bytes(2, 50)).await;
    let wanted = json!({ "name": "b", "parent": null, "on_conflict": "replace" });
    let request = ada.request("PATCH", format!("/v1/files/{file}"), Some(wanted));
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["id"]),
            (200, &json!(file)),
            "{again:?}"
        );
        assert!(entries(&ada, Some(&inside)).await.is_empty());
        assert_eq!(used(&ada).await, 150);
        let trash = items(&ada, "/v1/trash").await;
        assert_eq!((trash.len(), &trash[0]["path"]), (1, &json!("/b")), "{trash:?}");
        let removed = ada.call("DELETE", "/v1/trash", None).await;
        assert_eq!(removed.status, 204, "{removed:?}");
        crate::settling::work(world, crate::settling::SWEEP).await;
        let gone = ada.remove(&inside).await;
        assert_eq!(gone.status, 204, "{gone:?}");
        has_one_file(&ada, "b", &content).await;
    })
}

/// The copy takes as much room as the other file, and has its bytes when that is gone, and its folder.
async fn is_copied(ada: &Person<'_>, others: [&str; 2], content: &Bytes) {
    assert_eq!(used(ada).await, 200);
    for id in others {
        let gone = ada.remove(id).await;
        assert_eq!(gone.status, 204, "{gone:?}");
    }
    has_one_file(ada, "b", content).await;
}

/// There is one copy in the end, and one answer; it has its bytes when the other file is gone.
pub(crate) async fn copy_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let content = bytes(1, 100);
    let file = file_of(&ada, "a", Some(&inside), &content).await;
    let wanted = json!({ "name": "b", "parent": null, "on_conflict": "rename" });
    let request = Request {
        key: Some("k".to_owned()),
        ..ada.request("POST", format!("/v1/files/{file}/copy"), Some(wanted))
    };
    Case::request(&request, &[201], &[]).then(async move |first| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 201, "{again:?}");
        if first.status == 201 {
            assert_eq!(first.body, again.body);
        }
        assert_ne!(again.body["id"], json!(file));
        is_copied(&ada, [&file, &inside], &content).await;
    })
}

/// The content that the other file had is a version, once.
pub(crate) async fn replace_by_copying(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    let content = bytes(1, 100);
    let file = file_of(&ada, "a", Some(&inside), &content).await;
    let other = file_of(&ada, "b", None, &bytes(2, 50)).await;
    let wanted = json!({ "name": "b", "parent": null, "on_conflict": "replace" });
    let request = ada.request("POST", format!("/v1/files/{file}/copy"), Some(wanted));
    Case::request(&request, &[201], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["id"]),
            (201, &json!(other)),
            "{again:?}"
        );
        had_another_content(&ada, &other, 50).await;
        is_copied(&ada, [&file, &inside], &content).await;
    })
}

/// What is in it stays in it.
pub(crate) async fn rename_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let inside = folder(&ada, "f", None).await;
    file_of(&ada, "a", Some(&inside), &bytes(1, 100)).await;
    let request = ada.request(
        "PATCH",
        format!("/v1/files/{inside}"),
        Some(json!({ "name": "g" })),
    );
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 200, "{again:?}");
        let top = entries(&ada, None).await;
        assert_eq!((top.len(), &top[0]["name"]), (1, &json!("g")), "{top:?}");
        assert_eq!(entries(&ada, Some(&inside)).await.len(), 1);
    })
}

/// It is in one place or in the other.
pub(crate) async fn move_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let (from, to) = (folder(&ada, "f", None).await, folder(&ada, "g", None).await);
    let inner = folder(&ada, "h", Some(&from)).await;
    file_of(&ada, "a", Some(&inner), &bytes(1, 100)).await;
    let request = ada.request(
        "PATCH",
        format!("/v1/files/{inner}"),
        Some(json!({ "parent": to })),
    );
    Case::request(&request, &[200], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert_eq!(
            (again.status, &again.body["parent"]),
            (200, &json!(to)),
            "{again:?}"
        );
        assert!(entries(&ada, Some(&from)).await.is_empty());
        assert_eq!(entries(&ada, Some(&to)).await.len(), 1);
        assert_eq!(entries(&ada, Some(&inner)).await.len(), 1);
        let round = json!({ "parent": inner });
        let refused = ada.call("PATCH", &format!("/v1/files/{to}"), Some(round)).await;
        assert_eq!(refused.body["code"], "within_itself", "{refused:?}");
    })
}

/// Deletes again, whatever came of it before.
async fn gone(world: &simulation::world::World, request: &Request, first: u16) {
    let again = ask(world, request).await;
    assert!(
        again.status == 404 || first != 204 && again.status == 204,
        "{again:?}"
    );
}

/// The bytes are given back once, and the blob loses one of its two references.
pub(crate) async fn delete_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, bob, .. } = cast;
    let content = bytes(1, 100);
    file_of(&bob, "b", None, &content).await;
    let inside = folder(&ada, "f", None).await;
    let file = file_of(&ada, "a", Some(&inside), &content).await;
    let request = ada.request("DELETE", format!("/v1/files/{file}?permanently=true"), None);
    Case::request(&request, &[204], &[404]).then(async move |answer| {
        gone(world, &request, answer.status).await;
        assert!(entries(&ada, Some(&inside)).await.is_empty());
        assert_eq!(used(&ada).await, 0);
        has_one_file(&bob, "b", &content).await;
        assert_eq!(ada.remove(&inside).await.status / 100, 2);
    })
}

/// And its only one: in the end nothing of it is anywhere.
pub(crate) async fn delete_last_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
    let request = ada.request("DELETE", format!("/v1/files/{file}?permanently=true"), None);
    Case::request(&request, &[204], &[404]).then(async move |answer| {
        gone(world, &request, answer.status).await;
        assert_eq!(used(&ada).await, 0);
        crate::settling::a_day_passes(world).await;
        let blobs = world
            .rows()
            .into_iter()
            .filter(|row| text(&row["pk"]).starts_with("BLOB#"));
        assert_eq!(blobs.count(), 0);
    })
}

/// The parent counts it until it is gone.
pub(crate) async fn delete_folder(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let parent = folder(&ada, "f", None).await;
    let inner = folder(&ada, "g", Some(&parent)).await;
    let request = ada.request("DELETE", format!("/v1/files/{inner}?permanently=true"), None);
    Case::request(&request, &[200, 204], &[404]).then(async move |answer| {
        let again = ask(world, &request).await;
        let done = [200, 204].contains(&answer.status);
        assert!(
            again.status == 404 || !done && again.status / 100 == 2,
            "{again:?}"
        );
        assert!(entries(&ada, Some(&parent)).await.is_empty());
        assert_eq!(ada.remove(&parent).await.status / 100, 2);
    })
}
