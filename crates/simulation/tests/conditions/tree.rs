//! Late writes about files and folders.

use crate::scene::{Scene, lived};
use bytes::Bytes;
use domain::placement::MAX_DEPTH;
use serde_json::json;
use simulation::gateway::Request;

/// A file gets another name in a version that is not there any more: it was renamed twice, and has its own name again.
pub(crate) fn a_name_it_has_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &Bytes::from_static(b"bytes")).await;
        let path = format!("/v1/files/{file}");
        scene.store("b", &Bytes::from_static(b"others")).await;
        let to = |name: &str| Some(json!({ "name": name, "on_conflict": "replace" }));
        scene.hold();
        scene
            .send(&scene.ann.request("PATCH", path.as_str(), to("late")))
            .await;
        for name in ["b", "a"] {
            let renamed = scene.ann.call("PATCH", &path, to(name)).await;
            assert_eq!(renamed.status, 200, "{renamed:?}");
        }
        scene.let_go().await;
        let there = scene.ann.call("GET", &path, None).await;
        (there.body["version"] != 3).then(|| format!("another version was renamed than was read: {there:?}"))
    })
}

/// A folder goes into another one, which is in it by then.
pub(crate) fn a_folder_within_itself(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let (one, other) = (folder(scene, None).await, folder(scene, None).await);
        scene.hold();
        scene.send(&into(scene, &one, &other)).await;
        let moved = scene.send(&into(scene, &other, &one)).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        scene.let_go().await;
        scene.settled().await
    })
}

/// A folder comes into being in one that is as deep by then as a folder may be.
pub(crate) fn a_folder_that_is_too_deep(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let (top, other) = (folder(scene, None).await, folder(scene, None).await);
        let mut deepest = top.clone();
        for _ in 2..MAX_DEPTH {
            deepest = folder(scene, Some(&deepest)).await;
        }
        scene.hold();
        let wanted = json!({ "name": "f", "parent": deepest });
        scene
            .send(&scene.ann.request("POST", "/v1/folders", Some(wanted)))
            .await;
        let moved = scene.send(&into(scene, &top, &other)).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        scene.let_go().await;
        scene.settled().await
    })
}

async fn folder(scene: &Scene<'_>, parent: Option<&str>) -> String {
    let wanted = json!({ "name": "f", "parent": parent, "on_conflict": "rename" });
    let made = scene.ann.call("POST", "/v1/folders", Some(wanted)).await;
    made.body["id"].as_str().expect("a folder").to_owned()
}

fn into(scene: &Scene<'_>, folder: &str, parent: &str) -> Request {
    let to = json!({ "parent": parent });
    scene
        .ann
        .request("PATCH", format!("/v1/files/{folder}"), Some(to))
}

/// A file is deleted in a version that is not there any more: it has got its own bytes again.
pub(crate) fn a_version_that_was_replaced(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let bytes = Bytes::from_static(b"the same");
        let file = scene.store("a", &bytes).await;
        let path = format!("/v1/files/{file}");
        scene.hold();
        scene
            .send(
                &scene
                    .ann
                    .request("DELETE", format!("{path}?permanently=true"), None),
            )
            .await;
        let replaced = scene.ann.store("a", None, &bytes, true, "replace").await;
        assert_eq!(replaced.as_ref(), Ok(&file));
        scene.let_go().await;
        let there = scene.ann.call("GET", &path, None).await;
        (there.status != 200).then(|| "another version was deleted than was there".to_owned())
    })
}

/// A file gets its own content once more, from a copy of it, when it has got another one.
pub(crate) fn a_content_that_it_had(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let own = Bytes::from_static(b"own");
        scene.store("a", &own).await;
        let same = scene.store("b", &own).await;
        let other = scene.store("c", &Bytes::from_static(b"other")).await;
        let to = || Some(json!({ "name": "a", "on_conflict": "replace" }));
        let copied = |of: &str| scene.ann.request("POST", format!("/v1/files/{of}/copy"), to());
        scene.hold();
        scene.send(&copied(&same)).await;
        let replaced = scene.send(&copied(&other)).await;
        assert_eq!(replaced.status, 201, "{replaced:?}");
        scene.let_go().await;
        scene.settled().await
    })
}
