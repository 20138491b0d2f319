//! What files had before.

use crate::content::{MIB, bytes};
use crate::download_scene::Scene;
use crate::fake_versions::replace_keeping;
use crate::server::Server;
use crate::world::Fault;
use crate::{api, options};
use client::transfer::{TransferError, TransferEvent};

/// A file with so many bytes, which are to be downloaded whatever it has by then.
async fn scene(length: usize) -> Scene {
    let mut scene = Scene::new(length).await;
    scene.request.file.number = Some(1);
    scene
}

/// As soon as it is begun; or half-way, when the URL has expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_downloaded_whatever_its_file_has_by_then() {
    for expired in [0, 1] {
        for length in [9 * MIB, 20 * MIB] {
            let scene = scene(20 * MIB).await;
            scene.server.world().expired = expired;
            replace_keeping(&mut scene.server.world(), &bytes(length, 4));
            let (done, events) = scene.observed(1).await;
            scene.complete();
            assert_eq!(Some(done.content_id), scene.request.file.content_id);
            assert!(!events.lock().unwrap().contains(&TransferEvent::Replaced));
            // Nobody asks what the file has.
            assert_eq!(scene.server.count("GET files/f1"), 1 + expired);
            assert_eq!(scene.server.count("GET files/f1/content"), 1 + expired);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_download_of_a_version_goes_on() {
    let scene = scene(20 * MIB).await;
    replace_keeping(&mut scene.server.world(), &bytes(20 * MIB, 4));
    scene
        .server
        .fail("GET 16777216-", Fault::Answer(400, "InvalidRequest"));
    scene.run(&options(1)).await.unwrap_err();
    scene.part();
    let done = scene.run(&options(4)).await.unwrap();
    scene.complete();
    assert_eq!((done.parts_kept, done.parts_fetched), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_than_the_versions_never_get_the_name() {
    let scene = scene(9 * MIB).await;
    replace_keeping(&mut scene.server.world(), &bytes(MIB, 4));
    let wrong = bytes(9 * MIB, 5);
    scene.server.world().objects.insert("f1.1".into(), wrong);
    let error = scene.run(&options(2)).await.unwrap_err();
    assert!(matches!(error, TransferError::Mismatch { .. }), "{error}");
    assert_eq!(scene.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_gone_is_told() {
    let scene = scene(5).await;
    replace_keeping(&mut scene.server.world(), b"new");
    api(&scene.server).delete_version("f1.1").await.unwrap();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("not_found")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_versions_is_done_once_however_often_answers_get_lost() {
    let server = Server::start().await;
    crate::fake_files::add_file(&mut server.world(), "a", None, b"first".to_vec());
    for content in [&b"second"[..], b"third"] {
        replace_keeping(&mut server.world(), content);
    }
    let api = api(&server);
    let numbers = async || -> Vec<u64> {
        let there = api.versions("f1").await.unwrap();
        assert!(there[0].current && there[1..].iter().all(|version| !version.current));
        there.iter().map(|version| version.number).collect()
    };
    assert_eq!(numbers().await, [3, 2, 1]);
    for call in ["POST versions", "PATCH versions", "DELETE versions"] {
        server.fail(call, Fault::LoseAnswer);
    }
    let restored = api.restore_version("f1.1").await.unwrap();
    assert_eq!((restored.id.as_str(), restored.size), ("f1", Some(5)));
    assert_eq!(numbers().await, [4, 3, 2]);
    assert!(api.keep_version("f1.2", true).await.unwrap().kept);
    api.delete_version("f1.3").await.unwrap();
    assert_eq!(numbers().await, [4, 2]);
    for call in [
        "POST versions/f1.1/restore",
        "PATCH versions/f1.2",
        "DELETE versions/f1.3",
    ] {
        assert_eq!(server.count(call), 2, "{call}");
    }
    assert!(api.restore_version("f1.3").await.unwrap_err().is("not_found"));
}
