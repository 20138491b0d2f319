//! Folders, and what is deleted.

use crate::cast::{Cast, ask, bytes, entries, file_of, folder, has_one_file, text, used};
use crate::runner::Case;
use serde_json::json;
use simulation::gateway::Request;

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
    let request = ada.request("DELETE", format!("/v1/files/{file}"), None);
    Case::request(&request, &[204], &[404]).then(async move |answer| {
        gone(world, &request, answer.status).await;
        assert!(entries(&ada, Some(&inside)).await.is_empty());
        assert_eq!(used(&ada).await, 0);
        has_one_file(&bob, "b", &content).await;
        assert_eq!(
            ada.call("DELETE", &format!("/v1/files/{inside}"), None)
                .await
                .status
                / 100,
            2
        );
    })
}

/// And its only one: in the end nothing of it is anywhere.
pub(crate) async fn delete_last_file(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let file = file_of(&ada, "a", None, &bytes(1, 100)).await;
    let request = ada.request("DELETE", format!("/v1/files/{file}"), None);
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
    let request = ada.request("DELETE", format!("/v1/files/{inner}"), None);
    Case::request(&request, &[200, 204], &[404]).then(async move |answer| {
        let again = ask(world, &request).await;
        let done = [200, 204].contains(&answer.status);
        assert!(
            again.status == 404 || !done && again.status / 100 == 2,
            "{again:?}"
        );
        assert!(entries(&ada, Some(&parent)).await.is_empty());
        assert_eq!(
            ada.call("DELETE", &format!("/v1/files/{parent}"), None)
                .await
                .status
                / 100,
            2
        );
    })
}
