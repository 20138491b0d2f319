//! Something between this machine and the store, or the API, that answers in its place.

use crate::content::{MIB, bytes};
use crate::fake_files::add_file;
use crate::uploads::Scene;
use crate::world::{Fault, SIGNATURE};
use crate::{api, options};
use client::ApiError;
use client::transfer::{DownloadRequest, How, TransferError, download};

/// All that networks are known to answer. The page has an `ETag`, and what looks like a store's code.
const STATUSES: [u16; 6] = [200, 302, 307, 403, 404, 511];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_the_stores_is_neither_success_nor_refusal() {
    for status in STATUSES {
        let scene = Scene::new(9 * MIB).await;
        for _ in 0..3 {
            scene.server.fail("PUT part 2", Fault::Portal(status));
        }
        let error = scene.run(&options(1)).await.unwrap_err();
        let TransferError::NotTheStore { part: 2, answer } = &error else {
            panic!("{status}: {error}")
        };
        for said in [status.to_string().as_str(), "text/html", "\"hotel\"", "127.0.0.1"] {
            assert!(answer.contains(said), "{answer}");
        }
        assert!(!error.to_string().contains(SIGNATURE) && error.next_step().is_some());
        assert_eq!(scene.server.count("PUT part 2"), 3, "a few tries");
        assert_eq!(scene.server.count("POST uploads/u1/complete"), 0);
        let done = scene.run(&options(1)).await.unwrap();
        scene.stored(&done);
        assert_eq!((done.how, done.parts_kept, done.parts_sent), (How::Resumed, 1, 1));
    }
}

/// Somebody signed in at the portal meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_goes_away_costs_another_try() {
    for status in STATUSES {
        let scene = Scene::new(9 * MIB).await;
        scene.server.fail("PUT part 1", Fault::Portal(status));
        scene.server.fail("PUT part 2", Fault::Portal(status));
        let done = scene.run(&options(1)).await.unwrap();
        scene.stored(&done);
        assert_eq!(scene.server.count("PUT"), 4, "{status}");
    }
}

/// Not every store repeats the checksum; all name what they stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_says_no_checksum_is_believed() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.world().quiet = true;
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!(scene.server.count("PUT"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_is_not_refused_by_a_portal_either() {
    for status in STATUSES {
        let scene = Scene::new(1).await;
        add_file(&mut scene.server.world(), "a", None, bytes(9 * MIB, 3));
        let api = api(&scene.server);
        let file = api.file("f1").await.unwrap();
        let request = DownloadRequest {
            file,
            target: scene.path.with_extension("copy"),
            overwrite: false,
        };
        for _ in 0..3 {
            scene.server.fail("GET 8388608", Fault::Portal(status));
        }
        let error = download(&api, &request, &options(1)).await.unwrap_err();
        assert!(
            matches!(error, TransferError::NotTheStore { part: 2, .. }),
            "{status}: {error}"
        );
        download(&api, &request, &options(1)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_not_the_apis_answer() {
    let scene = Scene::new(1).await;
    let api = api(&scene.server);
    for status in STATUSES.into_iter().chain([401]) {
        scene.server.fail("DELETE files", Fault::Portal(status));
        for _ in 0..4 {
            scene.server.fail("GET account", Fault::Portal(status));
        }
        let error = api.account().await.unwrap_err();
        assert!(matches!(error, ApiError::NotTheApi { .. }), "{status}: {error}");
        assert!(error.to_string().contains(&status.to_string()) && error.next_step().is_some());
        api.account().await.unwrap();
        // Not even of a call whose answer says no more than that it is done.
        let id = add_file(&mut scene.server.world(), "a", None, Vec::new())["id"].clone();
        api.delete_file(id.as_str().unwrap()).await.unwrap();
        assert!(scene.server.world().nodes.is_empty(), "{status}");
    }
}
