//! Late writes about what is in the trash.

use crate::scene::{Scene, lived};
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

/// Until the sweep has removed what it has to.
const SWEPT: Duration = Duration::from_mins(2);

/// A file comes back from a trash that was emptied.
pub(crate) fn what_was_in_a_trash_that_was_emptied(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &Bytes::from_static(b"bytes")).await;
        done(scene, "DELETE", &format!("/v1/files/{file}")).await;
        late_restore(scene, &file).await;
        done(scene, "DELETE", "/v1/trash").await;
        scene.let_go().await;
        is_back(scene, &file).await
    })
}

/// A folder comes back that somebody wanted to be removed.
pub(crate) fn what_is_removed(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = full_folder(scene).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}")).await;
        late_restore(scene, &folder).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}?permanently=true")).await;
        scene.let_go().await;
        is_back(scene, &folder).await
    })
}

/// The same when what is in it was counted.
pub(crate) fn what_is_counted_and_removed(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = full_folder(scene).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}")).await;
        scene.sweep_after(SWEPT).await;
        late_restore(scene, &folder).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}?permanently=true")).await;
        scene.let_go().await;
        is_back(scene, &folder).await
    })
}

/// Something is to be removed from the trash that has come back from there.
pub(crate) fn what_has_come_back(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = full_folder(scene).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}")).await;
        let path = format!("/v1/files/{folder}?permanently=true");
        scene.hold();
        scene.send(&scene.ann.request("DELETE", path, None)).await;
        done(scene, "POST", &format!("/v1/trash/{folder}/restore")).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A trash is emptied, and emptied again when more is in it, before the first is done.
pub(crate) fn a_trash_that_is_emptied_late(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let bytes = Bytes::from_static(b"bytes");
        let (first, second) = (scene.store("a", &bytes).await, scene.store("b", &bytes).await);
        done(scene, "DELETE", &format!("/v1/files/{first}")).await;
        scene.hold();
        scene.send(&scene.ann.request("DELETE", "/v1/trash", None)).await;
        done(scene, "DELETE", &format!("/v1/files/{second}")).await;
        done(scene, "DELETE", "/v1/trash").await;
        scene.let_go().await;
        let listed = scene.ann.call("GET", "/v1/trash", None).await;
        let is_empty = listed.body["items"] == json!([]);
        (!is_empty).then(|| format!("it is in the trash again: {listed:?}"))
    })
}

/// A file in a folder gets another content when the folder is in the trash already.
pub(crate) fn what_is_replaced_in_the_trash(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let folder = full_folder(scene).await;
        let other = scene.store("other", &Bytes::from_static(b"other")).await;
        let to = json!({ "name": "inside", "parent": folder, "on_conflict": "replace" });
        let request = scene
            .ann
            .request("POST", format!("/v1/files/{other}/copy"), Some(to));
        scene.hold();
        scene.send(&request).await;
        done(scene, "DELETE", &format!("/v1/files/{folder}")).await;
        scene.let_go().await;
        let path = format!("/v1/files?parent={folder}");
        let listed = scene.ann.call("GET", &path, None).await;
        let is_as_it_was = listed.body["items"][0]["size"] == json!("inside".len());
        (!is_as_it_was).then(|| format!("it was replaced in the trash: {listed:?}"))
    })
}

/// A trash is emptied again when the sweep is about to note that it has removed everything.
pub(crate) fn a_trash_that_is_emptied_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let bytes = Bytes::from_static(b"bytes");
        let (first, second) = (scene.store("a", &bytes).await, scene.store("b", &bytes).await);
        done(scene, "DELETE", &format!("/v1/files/{first}")).await;
        done(scene, "DELETE", "/v1/trash").await;
        scene.hold();
        scene.sweep_after(SWEPT).await;
        done(scene, "DELETE", &format!("/v1/files/{second}")).await;
        done(scene, "DELETE", "/v1/trash").await;
        scene.let_go().await;
        let listed = scene.ann.call("GET", "/v1/trash", None).await;
        let is_empty = listed.body["items"] == json!([]);
        (!is_empty).then(|| format!("it is in the trash again: {listed:?}"))
    })
}

pub(crate) async fn full_folder(scene: &Scene<'_>) -> String {
    let folder = scene.ann.folder("f", None).await.expect("a folder");
    let file = scene.store("inside", &Bytes::from_static(b"inside")).await;
    let to = json!({ "parent": folder });
    let moved = scene
        .ann
        .call("PATCH", &format!("/v1/files/{file}"), Some(to))
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    folder
}

pub(crate) async fn done(scene: &Scene<'_>, method: &'static str, path: &str) {
    let answer = scene.ann.call(method, path, None).await;
    assert_eq!(answer.status / 100, 2, "{method} {path}: {answer:?}");
}

async fn late_restore(scene: &Scene<'_>, node: &str) {
    let path = format!("/v1/trash/{node}/restore");
    scene.hold();
    scene.send(&scene.ann.request("POST", path, None)).await;
}

/// Whether it is where it was, after it was removed, or anything else is wrong.
async fn is_back(scene: &Scene<'_>, node: &str) -> Option<String> {
    scene.sweep_after(SWEPT).await;
    let there = scene.ann.call("GET", &format!("/v1/files/{node}"), None).await;
    if there.status != 404 {
        return Some(format!("it is there, and was removed: {there:?}"));
    }
    scene.settled().await
}
