//! Late writes about versions of files.

use crate::scene::{Scene, lived};
use bytes::Bytes;
use serde_json::{Value, json};

/// A version is removed that was kept for good meanwhile.
pub(crate) fn a_version_that_was_kept(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let version = version(scene).await;
        scene.hold();
        let path = format!("/v1/versions/{version}");
        scene.send(&scene.ann.request("DELETE", path, None)).await;
        keep(scene, &version, true).await;
        scene.let_go().await;
        is_kept(scene, &version, true).await
    })
}

/// A version is kept for good that was kept, and then not any more.
pub(crate) fn a_version_that_is_not_kept_any_more(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let version = version(scene).await;
        late(scene, &version, true).await;
        keep(scene, &version, true).await;
        keep(scene, &version, false).await;
        scene.let_go().await;
        is_kept(scene, &version, false).await
    })
}

/// A version is not kept any more that was let go, and then kept again.
pub(crate) fn a_version_that_is_kept_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let version = version(scene).await;
        keep(scene, &version, true).await;
        late(scene, &version, false).await;
        keep(scene, &version, false).await;
        keep(scene, &version, true).await;
        scene.let_go().await;
        let wrong = is_kept(scene, &version, true).await;
        // Kept or not: its owner may remove it.
        let removed = scene
            .ann
            .call("DELETE", &format!("/v1/versions/{version}"), None)
            .await;
        assert!(is_dropped || removed.status == 204, "{removed:?}");
        wrong
    })
}

/// A file that had another content. Returns the id of that.
async fn version(scene: &Scene<'_>) -> String {
    let file = scene.store("a", &Bytes::from_static(b"first")).await;
    let second = Bytes::from_static(b"second");
    let stored = scene.ann.store("a", None, &second, false, "replace").await;
    assert_eq!(stored.as_ref(), Ok(&file));
    format!("{file}.1")
}

fn wanted(kept: bool) -> Value {
    json!({ "kept": kept })
}

async fn keep(scene: &Scene<'_>, version: &str, kept: bool) {
    let path = format!("/v1/versions/{version}");
    let answer = scene.ann.call("PATCH", &path, Some(wanted(kept))).await;
    assert_eq!(
        (answer.status, &answer.body["kept"]),
        (200, &json!(kept)),
        "{answer:?}"
    );
}

async fn late(scene: &Scene<'_>, version: &str, kept: bool) {
    let path = format!("/v1/versions/{version}");
    scene.hold();
    scene
        .send(&scene.ann.request("PATCH", path, Some(wanted(kept))))
        .await;
}

/// Whether a version is not kept as it must be, or anything else is wrong.
async fn is_kept(scene: &Scene<'_>, version: &str, expected: bool) -> Option<String> {
    let file = version.split('.').next().unwrap_or_default();
    let listed = scene
        .ann
        .call("GET", &format!("/v1/files/{file}/versions"), None)
        .await;
    let there = listed.body["items"].as_array().cloned().unwrap_or_default();
    let there = there.iter().find(|item| item["id"] == version);
    let kept = there.and_then(|version| version["kept"].as_bool());
    if kept != Some(expected) {
        return Some(format!("kept: {kept:?}, and not {expected}: {listed:?}"));
    }
    scene.settled().await
}
