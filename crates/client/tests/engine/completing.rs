//! Beginning and completing uploads: what the API may answer, or lose.

use crate::content::MIB;
use crate::options;
use crate::uploads::Scene;
use crate::world::Fault;
use client::transfer::{How, Options, TransferError};
use std::fs;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_the_account_has_are_not_sent_again() {
    let scene = Scene::new(9 * MIB).await;
    scene.run(&options(2)).await.unwrap();
    let puts = scene.server.count("PUT");
    let done = scene.run_as("copy.bin", &options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, scene.server.count("PUT")), (How::Instant, puts));
    let done = scene.run(&options(2)).await.unwrap();
    assert_eq!((done.how, scene.server.count("PUT")), (How::AlreadyThere, puts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_file_of_that_name_is_in_the_way() {
    let scene = Scene::new(5).await;
    scene.run(&options(1)).await.unwrap();
    fs::write(&scene.path, b"other").unwrap();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_of_the_api_do_no_harm() {
    for call in [
        "POST uploads",
        "POST uploads/u1/parts",
        "POST uploads/u1/complete",
        "GET uploads",
    ] {
        let scene = Scene::new(9 * MIB).await;
        scene.server.fail(call, Fault::LoseAnswer);
        let done = scene.run(&options(2)).await.unwrap();
        scene.stored(&done);
        let world = scene.server.world();
        assert_eq!((world.uploads.len(), world.nodes.len()), (1, 1), "{call}");
        assert!(world.faults.is_empty(), "{call} was never made");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_waits_and_survives_a_gateway_timeout() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.world().not_yet = 2;
    scene
        .server
        .fail("POST uploads/u1/complete", Fault::Answer(504, "timeout"));
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!(scene.server.count("POST uploads/u1/complete"), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_found_finalizing_is_completed_without_sending() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.world().not_yet = usize::MAX;
    let hasty = Options {
        finalize: Duration::ZERO,
        ..options(2)
    };
    let error = scene.run(&hasty).await.unwrap_err();
    assert!(matches!(error, TransferError::StillFinalizing), "{error}");
    scene.server.world().not_yet = 1;
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!(
        (done.how, done.parts_sent, scene.server.count("PUT")),
        (How::Resumed, 0, 2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_the_store_lost_are_sent_again_and_no_others() {
    let scene = Scene::new(37 * MIB).await;
    // The problem names only the first; the second is found by asking what the store has.
    scene.server.world().lose = vec![2, 4];
    let done = scene.run(&options(3)).await.unwrap();
    scene.stored(&done);
    let puts = [1, 2, 3, 4, 5].map(|part| scene.server.count(&format!("PUT part {part}")));
    assert_eq!(puts, [1, 2, 1, 2, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_content_the_server_disagrees_with_ends_with_its_words() {
    let scene = Scene::new(5).await;
    scene
        .server
        .fail("POST uploads/u1/complete", Fault::Answer(409, "parts_missing"));
    for _ in 0..9 {
        scene
            .server
            .fail("POST uploads/u1/complete", Fault::Answer(409, "content_mismatch"));
    }
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("content_mismatch")),
        "{error}"
    );
    assert_eq!(scene.state(), "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_given_up_elsewhere_ends_with_words() {
    let scene = Scene::new(9 * MIB).await;
    scene
        .server
        .fail("POST uploads/u1/complete", Fault::Answer(409, "upload_not_open"));
    scene
        .server
        .fail("GET uploads/u1", Fault::Answer(404, "not_found"));
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::UploadGone), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_deleted_before_anybody_heard_of_it_ends_with_words() {
    let scene = Scene::new(5).await;
    scene.server.world().not_yet = usize::MAX;
    let elsewhere = async {
        while scene.server.count("POST uploads/u1/complete") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scene.server.world().uploads[0].facts["state"] = "complete".into();
    };
    let hurried = options(1);
    let (done, ()) = tokio::join!(scene.run(&hurried), elsewhere);
    let error = done.unwrap_err();
    assert!(matches!(error, TransferError::FileGone), "{error}");
    assert!(error.next_step().is_some());
}
