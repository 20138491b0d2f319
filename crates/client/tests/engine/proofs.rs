//! Bytes that somebody else has: proved instead of sent.

use crate::content::{MIB, bytes};
use crate::fake_files::{add_file, content_id};
use crate::fake_proofs::give_up;
use crate::options;
use crate::uploads::Scene;
use crate::world::{Fault, World};
use client::transfer::{How, TransferError};
use serde_json::json;
use std::fs;
use std::io;
use std::path::Path;

const PROOF: &str = "POST uploads/u1/proof";

/// Somebody else has stored what is in the local file.
async fn scene(length: usize) -> Scene {
    let scene = Scene::new(length).await;
    let content = fs::read(&scene.path).unwrap();
    scene.server.world().foreign.insert(content_id(&content), content);
    scene
}

fn meanwhile(scene: &Scene, happen: impl FnOnce(&mut World) + Send + 'static) {
    scene.server.world().meanwhile = Some(Box::new(happen));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_the_bytes_need_not_send_them() {
    for length in [MIB, 8 * MIB, 20 * MIB + 1] {
        let scene = scene(length).await;
        let done = scene.run(&options(2)).await.unwrap();
        scene.stored(&done);
        assert_eq!((done.how, done.parts_sent, done.parts_kept), (How::Instant, 0, 0));
        assert_eq!((scene.server.count(PROOF), scene.server.count("PUT")), (1, 0));
        assert_eq!(scene.server.count("POST"), 2, "created and proved, no more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_makes_it_an_ordinary_upload() {
    let scene = scene(9 * MIB).await;
    // Other bytes under the same id, in a range that is asked about.
    for content in scene.server.world().foreign.values_mut() {
        content[9 * MIB - 1] ^= 1;
    }
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_sent), (How::Sent, 2));
    assert_eq!((scene.server.count(PROOF), scene.server.count("PUT")), (1, 2));
    assert_eq!(scene.server.world().uploads.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_makes_it_an_ordinary_upload() {
    let scene = scene(9 * MIB).await;
    meanwhile(&scene, |world| give_up(world, "u1"));
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_sent), (How::Sent, 2));
    assert_eq!(scene.server.count(PROOF), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_is_not_answered_for() {
    let longer = |path: &Path| fs::write(path, bytes(9 * MIB + 1, 7));
    let shorter = |path: &Path| fs::write(path, b"short");
    for change in [longer, shorter] as [fn(&Path) -> io::Result<()>; 2] {
        let scene = scene(9 * MIB).await;
        let path = scene.path.clone();
        meanwhile(&scene, move |_| change(&path).unwrap());
        let error = scene.run(&options(1)).await.unwrap_err();
        assert!(matches!(error, TransferError::Changed(_)), "{error}");
        assert_eq!((scene.server.count(PROOF), scene.server.count("PUT")), (0, 0));
        assert_eq!(scene.state(), "proof_required", "the try is not used up");
        assert!(scene.server.world().nodes.is_empty());
    }
}

/// The clock says nothing, the bytes do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_unseen_proves_nothing_and_is_not_stored() {
    let scene = scene(9 * MIB).await;
    let path = scene.path.clone();
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    meanwhile(&scene, move |_| {
        let mut content = fs::read(&path).unwrap();
        content[9 * MIB - 1] ^= 1;
        fs::write(&path, content).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(before).unwrap();
    });
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::Changed(_)), "{error}");
    assert_eq!(scene.server.count(PROOF), 1);
    assert!(scene.server.world().nodes.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_found_later_is_answered() {
    let scene = scene(9 * MIB).await;
    scene.server.fail(PROOF, Fault::Silence);
    let slow = options(1);
    tokio::select! {
        _ = scene.run(&slow) => panic!("the proof is never answered"),
        () = scene.server.seen(PROOF) => {}
    }
    assert_eq!(scene.state(), "proof_required");
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!(done.how, How::Instant);
    assert_eq!((scene.server.count(PROOF), scene.server.count("PUT")), (2, 0));
    assert_eq!(scene.server.world().uploads.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_found_too_late_does_not_keep_the_upload_from_going_on() {
    let scene = scene(9 * MIB).await;
    scene.server.fail(PROOF, Fault::Answer(400, "invalid_request"));
    scene.run(&options(1)).await.unwrap_err();
    // The list still says what the upload was, a look at it says what it is.
    scene.server.world().uploads[0].challenge = None;
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_sent), (How::Resumed, 2));
    assert_eq!(scene.server.count(PROOF), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_do_no_harm() {
    for (call, times) in [("POST uploads", 1), (PROOF, 2)] {
        let scene = scene(9 * MIB).await;
        scene.server.fail(call, Fault::LoseAnswer);
        let done = scene.run(&options(1)).await.unwrap();
        scene.stored(&done);
        assert_eq!((done.how, scene.server.count("PUT")), (How::Instant, 0), "{call}");
        assert_eq!(scene.server.count(PROOF), times, "{call}");
        let world = scene.server.world();
        assert_eq!((world.uploads.len(), world.nodes.len()), (1, 1), "{call}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_that_makes_no_sense_here_is_left_alone() {
    let unknown = json!({"algorithm": "KMAC256", "key": "x"});
    let nonce = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let at = |offset: u64| json!({"algorithm": "HMAC-SHA256", "nonce": nonce, "ranges": [{"offset": offset, "length": 9}], "expires_at": "2026-11-20T10:05:00Z"});
    for odd in [unknown, at(9 * MIB as u64 - 8), at(u64::MAX)] {
        let scene = scene(9 * MIB).await;
        scene.server.fail(PROOF, Fault::Answer(400, "invalid_request"));
        scene.run(&options(1)).await.unwrap_err();
        scene.server.world().uploads[0].challenge = Some(odd);
        let done = scene.run(&options(1)).await.unwrap();
        scene.stored(&done);
        assert_eq!((done.how, scene.server.count(PROOF)), (How::Resumed, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_taken_meanwhile_is_told_unless_it_is_the_same_file() {
    let scene = scene(9 * MIB).await;
    meanwhile(&scene, |world| {
        add_file(world, "remote.bin", None, b"other".to_vec());
    });
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("name_taken")),
        "{error}"
    );
    assert_eq!(scene.server.count("PUT"), 0);

    let scene = self::scene(9 * MIB).await;
    let content = fs::read(&scene.path).unwrap();
    meanwhile(&scene, |world| {
        add_file(world, "remote.bin", None, content);
    });
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, scene.server.count("PUT")), (How::AlreadyThere, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_given_up_before_it_was_answered_ends_with_words() {
    let scene = scene(9 * MIB).await;
    meanwhile(&scene, |world| {
        world.uploads[0].facts["state"] = "aborted".into();
    });
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::UploadGone), "{error}");
    assert_eq!(scene.server.count("PUT"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_nobody_can_check_makes_it_an_ordinary_upload() {
    let scene = scene(9 * MIB).await;
    for _ in 0..50 {
        scene.server.fail(PROOF, Fault::Answer(503, "unavailable"));
    }
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_sent), (How::Sent, 2));
    assert!(scene.server.count(PROOF) > 1, "it was asked again first");
}
