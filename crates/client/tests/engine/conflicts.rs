//! Names that are taken, and what the uploader wanted then.

use crate::content::{MIB, bytes};
use crate::fake_files::add_file;
use crate::options;
use crate::uploads::Scene;
use crate::world::Fault;
use client::transfer::{How, Observer, Options, TransferError, TransferEvent};
use client::types::OnConflict;
use serde_json::{Value, json};
use std::fs;

const NAME: &str = "remote.bin";

/// A file of that name is there, with other bytes. Returns its id, too.
async fn scene(length: usize) -> (Scene, String) {
    let scene = Scene::new(length).await;
    let there = add_file(&mut scene.server.world(), NAME, None, b"other".to_vec());
    (scene, there["id"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_files_are_kept_under_two_names() {
    let (scene, there) = scene(9 * MIB).await;
    for (name, how) in [("remote (1).bin", How::Sent), ("remote (2).bin", How::Instant)] {
        let done = scene
            .run_with(NAME, OnConflict::Rename, &options(2))
            .await
            .unwrap();
        scene.stored(&done);
        assert_eq!((done.file.name.as_str(), done.how), (name, how));
    }
    assert_eq!(scene.server.world().objects[&there], b"other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_file_stays_the_same_file() {
    let (scene, there) = scene(9 * MIB).await;
    let done = scene
        .run_with(NAME, OnConflict::Replace, &options(2))
        .await
        .unwrap();
    scene.stored(&done);
    assert_eq!(
        (done.file.id.as_str(), done.file.name.as_str(), done.how),
        (there.as_str(), NAME, How::Sent)
    );
    assert_eq!(scene.server.world().nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_under_the_same_name_are_no_conflict() {
    let scene = Scene::new(9 * MIB).await;
    scene.run(&options(2)).await.unwrap();
    let puts = scene.server.count("PUT");
    for on_conflict in [OnConflict::Fail, OnConflict::Rename, OnConflict::Replace] {
        let done = scene.run_with(NAME, on_conflict, &options(2)).await.unwrap();
        assert_eq!((done.how, done.file.name.as_str()), (How::AlreadyThere, NAME));
    }
    assert_eq!(scene.server.count("PUT"), puts);
    assert_eq!(scene.server.world().nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_in_the_way_of_a_replacement() {
    let scene = Scene::new(5).await;
    crate::api(&scene.server).create_folder(NAME, None).await.unwrap();
    let error = scene
        .run_with(NAME, OnConflict::Replace, &options(1))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
    assert_eq!(scene.state(), "open", "what was sent is kept");
}

/// What was sent counts whatever is to happen when the name is taken; that is as the last one to ask for it says. Who did
/// not ask for it must not replace a file by going on with an upload of somebody who did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_with_another_choice_for_a_taken_name() {
    let (scene, there) = scene(9 * MIB).await;
    scene
        .server
        .fail("PUT part 2", Fault::Answer(400, "EntityTooLarge"));
    let replace = OnConflict::Replace;
    scene.run_with(NAME, replace, &options(1)).await.unwrap_err();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
    assert_eq!(scene.server.world().objects[&there], b"other");
    assert_eq!(scene.state(), "open");
    let done = scene.run_with(NAME, replace, &options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!(
        (done.how, done.parts_kept, done.file.id),
        (How::Resumed, 1, there)
    );
    let world = scene.server.world();
    assert_eq!(world.destinations, [Value::Null], "it is as it was begun");
    assert_eq!(world.uploads.len(), 1);
}

/// Nor may it when the name is taken while the rest is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_choice_is_said_when_the_upload_is_completed() {
    let scene = Scene::new(9 * MIB).await;
    scene
        .server
        .fail("PUT part 2", Fault::Answer(400, "EntityTooLarge"));
    let replace = OnConflict::Replace;
    scene.run_with(NAME, replace, &options(1)).await.unwrap_err();
    let world = scene.server.shared();
    let observer = Observer::new(move |event| {
        if event == TransferEvent::Finalizing {
            add_file(&mut world.lock().unwrap(), NAME, None, b"other".to_vec());
        }
    });
    let options = Options {
        observer,
        ..options(1)
    };
    let error = scene.run(&options).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
    let world = scene.server.world();
    let fail = json!({"name": NAME, "parent": null, "on_conflict": "fail"});
    assert_eq!(world.destinations, [fail]);
    assert_eq!(world.objects.values().collect::<Vec<_>>(), [b"other"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_begun_to_fail_goes_on_to_rename() {
    let scene = Scene::new(9 * MIB).await;
    scene
        .server
        .fail("PUT part 2", Fault::Answer(400, "EntityTooLarge"));
    scene.run(&options(1)).await.unwrap_err();
    add_file(&mut scene.server.world(), NAME, None, b"other".to_vec());
    let done = scene
        .run_with(NAME, OnConflict::Rename, &options(1))
        .await
        .unwrap();
    scene.stored(&done);
    assert_eq!(
        (done.how, done.parts_sent, done.file.name.as_str()),
        (How::Resumed, 1, "remote (1).bin")
    );
    assert_eq!(scene.server.world().uploads.len(), 1, "no second one holds room");
}

/// Two processes that upload the same file at once: the later one finds what it wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_made_by_somebody_else_meanwhile_will_do() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.world().not_yet = usize::MAX;
    let path = scene.path.clone();
    let one = options(1);
    let (ended, ()) = tokio::join!(scene.run(&one), async {
        scene.server.seen("POST uploads/u1/complete").await;
        let mut world = scene.server.world();
        add_file(&mut world, NAME, None, fs::read(&path).unwrap());
        world.not_yet = 0;
    });
    let done = ended.unwrap();
    scene.stored(&done);
    assert_eq!(done.how, How::AlreadyThere);
    assert_eq!(scene.server.world().nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_put_there_meanwhile_are_told() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.world().not_yet = usize::MAX;
    let one = options(1);
    let (ended, ()) = tokio::join!(scene.run(&one), async {
        scene.server.seen("POST uploads/u1/complete").await;
        let mut world = scene.server.world();
        add_file(&mut world, NAME, None, bytes(9, 1));
        world.not_yet = 0;
    });
    let error = ended.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
}
