//! Which upload goes on, and how little is asked to find it.

use crate::content::MIB;
use crate::uploads::Scene;
use crate::world::{FakeUpload, Fault};
use crate::{api, options};
use client::transfer::{How, OpenUploads, TransferError, UploadRequest};
use client::tree::Paths;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// Uploads a part of the file and fails.
async fn interrupted(scene: &Scene, request: &UploadRequest) {
    scene
        .server
        .fail("PUT part 2", Fault::Answer(400, "EntityTooLarge"));
    scene.run_of(request, &options(1)).await.unwrap_err();
}

fn into(scene: &Scene, folder: &str) -> UploadRequest {
    UploadRequest {
        parent: Some(folder.to_owned()),
        ..scene.request()
    }
}

/// A folder of this name, under a new id.
fn folder(scene: &Scene, name: &str, id: &str) {
    let node = json!({"id": id, "kind": "folder", "name": name, "parent": null, "created_at": "2026-11-20T10:00:00Z"});
    scene.server.world().nodes.push(node);
}

fn remove(scene: &Scene, id: &str) {
    scene.server.world().nodes.retain(|node| node["id"] != id);
}

/// Uploads of other files that are open.
fn others(scene: &Scene, count: usize) {
    let other = |number: usize| FakeUpload {
        facts: json!({
            "id": format!("other-{number}"), "state": "open", "name": format!("other {number}"), "parent": null,
            "size": 1, "part_size": 8_388_608, "part_count": 1, "created_at": "2026-11-20T10:00:00Z",
        }),
        challenge: None,
        parts: BTreeMap::new(),
    };
    scene.server.world().uploads.extend((0..count).map(other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_asks_once_what_is_unfinished() {
    let scene = Scene::new(9).await;
    others(&scene, 3);
    let open = OpenUploads::default();
    let mut calls = Vec::new();
    for number in 0..20 {
        let path = scene.path.with_extension(number.to_string());
        fs::write(&path, format!("file {number}")).unwrap();
        let request = UploadRequest {
            path,
            name: format!("file {number}"),
            ..scene.request()
        };
        scene.run_among(&open, &request, &options(1)).await.unwrap();
        calls.push(std::mem::take(&mut scene.server.world().log).len());
    }
    // The fake server lists one a page.
    assert_eq!(calls[0], calls[1] + 3, "the first asks what there is");
    assert_eq!(calls[1..], vec![4; 19], "creates, signs, sends, completes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_had_is_asked_for_again() {
    let scene = Scene::new(9).await;
    let open = OpenUploads::default();
    scene
        .server
        .fail("GET uploads", Fault::Answer(400, "invalid_request"));
    let request = scene.request();
    scene.run_among(&open, &request, &options(1)).await.unwrap_err();
    scene.run_among(&open, &request, &options(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_run_itself_began_goes_on() {
    let scene = Scene::new(9 * MIB).await;
    let open = OpenUploads::default();
    scene
        .server
        .fail("PUT part 2", Fault::Answer(400, "EntityTooLarge"));
    let request = scene.request();
    scene.run_among(&open, &request, &options(1)).await.unwrap_err();
    let done = scene.run_among(&open, &request, &options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_kept), (How::Resumed, 1));
    assert_eq!(
        scene.server.count("GET uploads"),
        2,
        "one list, and one look at the upload"
    );
}

/// The list may be as old as the run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_ended_since_the_list_was_made_is_begun_anew() {
    for state in ["aborted", "expired", "complete"] {
        let scene = Scene::new(9 * MIB).await;
        interrupted(&scene, &scene.request()).await;
        let open = OpenUploads::default();
        let other = UploadRequest {
            name: "other".to_owned(),
            ..scene.request()
        };
        scene.run_among(&open, &other, &options(1)).await.unwrap();
        scene.server.world().uploads[0].facts["state"] = state.into();
        let done = scene
            .run_among(&open, &scene.request(), &options(1))
            .await
            .unwrap();
        scene.stored(&done);
        assert_ne!(done.how, How::Resumed, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_was_made_again_gets_what_was_sent_for_it_before() {
    let scene = Scene::new(17 * MIB).await;
    folder(&scene, "x", "d1");
    interrupted(&scene, &into(&scene, "d1")).await;
    remove(&scene, "d1");
    folder(&scene, "x", "d2");
    let done = scene.run_of(&into(&scene, "d2"), &options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_kept, done.parts_sent), (How::Resumed, 1, 2));
    assert_eq!(done.file.parent.as_deref(), Some("d2"));
    assert_eq!(scene.server.world().uploads.len(), 1);
}

/// Any folder will do, the top one too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_folder_is_gone_goes_on_at_the_top() {
    let scene = Scene::new(9 * MIB).await;
    folder(&scene, "x", "d1");
    interrupted(&scene, &into(&scene, "d1")).await;
    remove(&scene, "d1");
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.file.parent), (How::Resumed, None));
    let sent = json!({"name": "remote.bin", "parent": null, "on_conflict": "fail"});
    assert_eq!(scene.server.world().destinations, [sent]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_to_a_folder_that_is_there_is_left_alone() {
    let scene = Scene::new(9 * MIB).await;
    folder(&scene, "x", "d1");
    folder(&scene, "y", "d2");
    interrupted(&scene, &into(&scene, "d1")).await;
    let done = scene.run_of(&into(&scene, "d2"), &options(1)).await.unwrap();
    assert_eq!(done.how, How::Sent);
    assert_eq!(scene.state(), "open");
    assert_eq!(
        scene.server.world().destinations,
        [Value::Null],
        "it goes where it was begun for"
    );
}

/// A folder that is removed while its upload runs: what was sent counts for the next run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_goes_meanwhile_is_told_and_nothing_is_lost() {
    let scene = Scene::new(9 * MIB).await;
    let error = scene.run_of(&into(&scene, "d1"), &options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("parent_not_found")),
        "{error}"
    );
    folder(&scene, "x", "d2");
    let done = scene.run_of(&into(&scene, "d2"), &options(1)).await.unwrap();
    assert_eq!((done.how, done.parts_sent), (How::Resumed, 0));
}

/// A client that said no content id: what it sent tells whether it is this file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_without_a_content_id_is_known_by_its_parts() {
    for (is_same, how) in [(true, How::Resumed), (false, How::Sent)] {
        let scene = Scene::new(9 * MIB).await;
        interrupted(&scene, &scene.request()).await;
        scene.server.world().uploads[0].facts["content_id"] = Value::Null;
        if !is_same {
            let mut local = fs::read(&scene.path).unwrap();
            local[0] ^= 1;
            fs::write(&scene.path, &local).unwrap();
        }
        let done = scene.run(&options(1)).await.unwrap();
        assert_eq!(done.how, how);
        assert_eq!(scene.server.world().uploads.len() == 1, is_same);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_are_found_by_ids_and_each_folder_asked_for_once() {
    let scene = Scene::new(1).await;
    let node = |id: &str, parent: Option<&str>| json!({"id": id, "kind": "folder", "name": id, "parent": parent, "created_at": "2026-11-20T10:00:00Z"});
    scene.server.world().nodes = vec![
        node("a", None),
        node("b", Some("a")),
        node("c", Some("b")),
        node("lost", Some("gone")),
        node("loop", Some("loop")),
    ];
    let (api, mut paths) = (api(&scene.server), Paths::default());
    let mut of = async |id: &str| paths.of(&api, id).await.unwrap();
    assert_eq!(of("c").await.as_deref(), Some("a/b/c"));
    assert_eq!(of("b").await.as_deref(), Some("a/b"));
    for nowhere in ["gone", "lost", "loop"] {
        assert_eq!(of(nowhere).await, None, "{nowhere}");
    }
    assert_eq!(scene.server.count("GET files"), 6);
}
