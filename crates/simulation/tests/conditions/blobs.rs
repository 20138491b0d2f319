//! Late writes about blobs.

use crate::scene::{Scene, lived};
use bytes::Bytes;
use domain::content::PartDigest;
use serde_json::{Value, json};
use simulation::S3;
use simulation::world::BUCKET;
use std::time::Duration;
use tokio::time::sleep;

/// How long a blob without files is kept.
const DAY: Duration = Duration::from_hours(24);
const MOMENT: Duration = Duration::from_secs(5);
/// When the reconciler looks at what was made just now.
const NOT_YOUNG: Duration = Duration::from_mins(70);

fn content() -> Bytes {
    Bytes::from_static(b"the same bytes")
}

/// Asks once to complete an upload.
async fn complete(scene: &Scene<'_>, upload: &str) {
    let path = format!("/v1/uploads/{upload}/complete");
    scene.send(&scene.ann.request("POST", path, None)).await;
}

async fn begin(scene: &Scene<'_>, name: &str, bytes: &Bytes) -> String {
    let begun = scene.ann.begin(name, None, bytes, false, "fail").await;
    begun.body["id"].as_str().expect("an upload").to_owned()
}

/// A blob is found at the last moment, and marked before the file is made.
pub(crate) fn a_file_of_a_marked_blob(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        scene.messages().await;
        scene.delete(&file).await;
        let deleted_at = scene.world.cloud.now();
        sleep(DAY.saturating_sub(Duration::from_mins(1))).await;
        let upload = begin(scene, "b", &content()).await;
        let sent = scene.ann.send_parts(&upload, &content()).await;
        sent.expect("its part");
        let gone_by = scene.world.cloud.now().duration_since(deleted_at).unsigned_abs();
        sleep(DAY.saturating_sub(MOMENT + gone_by)).await;
        scene.hold();
        complete(scene, &upload).await;
        scene.sweep_after(2 * MOMENT).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// Other bytes are sent while an upload is completed, and another completes it.
pub(crate) fn digests_of_other_bytes(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let (bytes, others) = (content(), Bytes::from_static(b"some OTHER one"));
        let upload = begin(scene, "a", &bytes).await;
        let path = format!("/v1/uploads/{upload}/parts");
        let part = json!({ "number": 1, "sha256": PartDigest::of(&others) });
        let signed = scene
            .ann
            .call("POST", &path, Some(json!({ "parts": [part] })))
            .await;
        let sent = scene.ann.send_parts(&upload, &bytes).await;
        sent.expect("its part");
        scene.hold();
        complete(scene, &upload).await;
        put(scene, &signed.body["parts"][0], others).await;
        // Until the lease is over.
        sleep(Duration::from_mins(1)).await;
        assert_eq!(scene.ann.complete(&upload).await.status, 200);
        scene.let_go().await;
        scene.settled().await
    })
}

async fn put(scene: &Scene<'_>, signed: &Value, part: Bytes) {
    let mut request = http::Request::put(signed["url"].as_str().expect("an address"));
    for (name, value) in signed["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().expect("a header"));
    }
    let request = request.header("content-length", part.len()).body(part);
    let answer = scene.world.cloud.send(request.expect("a request")).await;
    assert!(answer.status().is_success(), "{answer:?}");
}

/// A blob without files is marked, and has a file by now.
pub(crate) fn a_mark_on_a_revived_blob(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        scene.messages().await;
        scene.delete(&file).await;
        scene.hold();
        scene.sweep_after(DAY + MOMENT).await;
        scene.store("b", &content()).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// The primary store has nothing from now on. Returns what it had.
fn emptied(scene: &Scene<'_>) -> S3 {
    let services = &mut *scene.world.cloud.services();
    let mut nothing = services.s3.anew();
    nothing.create_bucket(BUCKET);
    std::mem::replace(&mut services.s3, nothing)
}

/// It is found that the object of a blob is gone, and by now the file is deleted.
pub(crate) fn a_deleted_file_whose_bytes_are_gone(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        scene.messages().await;
        emptied(scene);
        scene.hold();
        scene.reconcile_after(NOT_YOUNG).await;
        scene.delete(&file).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// The object of a lost blob is found again, and by now the file is deleted.
pub(crate) fn a_deleted_file_whose_bytes_are_found(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        scene.messages().await;
        let before = emptied(scene);
        scene.reconcile_after(NOT_YOUNG).await;
        scene.world.cloud.services().s3 = before;
        scene.hold();
        scene.reconcile_after(NOT_YOUNG).await;
        scene.delete(&file).await;
        scene.let_go().await;
        // Its content is not known any more, as it should be.
        scene
            .settled()
            .await
            .filter(|wrong| !wrong.contains("content is not known"))
    })
}

/// A lost blob with one file is looked at, because another was deleted; by now both are.
pub(crate) fn the_last_file_of_a_lost_blob(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        let another = scene.store("b", &content()).await;
        scene.messages().await;
        scene.delete(&file).await;
        emptied(scene);
        scene.reconcile_after(NOT_YOUNG).await;
        scene.hold();
        scene.sweep_after(DAY).await;
        scene.delete(&another).await;
        scene.let_go().await;
        scene.settled().await
    })
}

/// A lost blob is marked, and its content has another one by now.
pub(crate) fn content_that_has_another_blob(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let file = scene.store("a", &content()).await;
        scene.messages().await;
        emptied(scene);
        scene.store("b", &content()).await;
        scene.messages().await;
        scene.delete(&file).await;
        scene.sweep_after(DAY + MOMENT).await;
        scene.settled().await
    })
}
