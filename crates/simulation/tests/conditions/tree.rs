//! Late writes about files and folders.

use crate::scene::lived;
use bytes::Bytes;

/// A file is deleted in a version that is not there any more: it has got its own bytes again.
pub(crate) fn a_version_that_was_replaced(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let bytes = Bytes::from_static(b"the same");
        let file = scene.store("a", &bytes).await;
        let path = format!("/v1/files/{file}");
        scene.hold();
        scene
            .send(&scene.ann.request("DELETE", path.as_str(), None))
            .await;
        let replaced = scene.ann.store("a", None, &bytes, true, "replace").await;
        assert_eq!(replaced.as_ref(), Ok(&file));
        scene.let_go().await;
        let there = scene.ann.call("GET", &path, None).await;
        (there.status != 200).then(|| "another version was deleted than was there".to_owned())
    })
}
