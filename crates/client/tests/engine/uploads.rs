//! Uploads against a store that fails on demand.

use crate::content::{MIB, bytes};
use crate::fake_files::content_id;
use crate::server::Server;
use crate::world::{Fault, SIGNATURE, TOKEN};
use crate::{SHORT_STALL, api, net, options, recorder};
use client::transfer::{
    How, OpenUploads, Options, TransferError, TransferEvent, UploadRequest, Uploaded, upload_among,
};
use client::types::OnConflict;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A server, a local file, and what to do with it.
pub(crate) struct Scene {
    pub(crate) server: Server,
    _folder: TempDir,
    pub(crate) path: PathBuf,
    content: Vec<u8>,
}

impl Scene {
    pub(crate) async fn new(length: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.bin");
        let content = bytes(length, 7);
        fs::write(&path, &content).unwrap();
        Self {
            server: Server::start().await,
            _folder: folder,
            path,
            content,
        }
    }

    pub(crate) async fn run_as(&self, name: &str, options: &Options) -> Result<Uploaded, TransferError> {
        self.run_with(name, OnConflict::Fail, options).await
    }

    pub(crate) async fn run_with(
        &self,
        name: &str,
        on_conflict: OnConflict,
        options: &Options,
    ) -> Result<Uploaded, TransferError> {
        let request = UploadRequest {
            name: name.to_owned(),
            on_conflict,
            ..self.request()
        };
        self.run_of(&request, options).await
    }

    /// The local file, to the top, under the usual name.
    pub(crate) fn request(&self) -> UploadRequest {
        UploadRequest {
            path: self.path.clone(),
            name: "remote.bin".to_owned(),
            parent: None,
            content_type: None,
            on_conflict: OnConflict::Fail,
        }
    }

    pub(crate) async fn run_of(
        &self,
        request: &UploadRequest,
        options: &Options,
    ) -> Result<Uploaded, TransferError> {
        self.run_among(&OpenUploads::default(), request, options).await
    }

    pub(crate) async fn run_among(
        &self,
        open: &OpenUploads,
        request: &UploadRequest,
        options: &Options,
    ) -> Result<Uploaded, TransferError> {
        let ended = upload_among(open, &api(&self.server), request, options).await;
        if let Err(error) = &ended {
            let shown = format!("{error} {error:?} {:?}", error.next_step());
            assert!(!shown.contains(SIGNATURE) && !shown.contains(TOKEN), "{shown}");
        }
        assert_eq!(self.server.count("LEAK"), 0);
        assert_eq!(
            self.server.count("DELETE uploads"),
            0,
            "an upload is never aborted"
        );
        ended
    }

    pub(crate) async fn run(&self, options: &Options) -> Result<Uploaded, TransferError> {
        self.run_as("remote.bin", options).await
    }

    /// The bytes stored under the file's id are the local ones.
    pub(crate) fn stored(&self, uploaded: &Uploaded) {
        let world = self.server.world();
        assert!(
            world.objects[&uploaded.file.id] == self.content,
            "other bytes were stored"
        );
        assert_eq!(
            uploaded.file.content_id.unwrap().to_string(),
            content_id(&self.content)
        );
    }

    pub(crate) fn state(&self) -> String {
        self.server.world().uploads[0].facts["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_size_arrives() {
    for length in [0, 1, 8 * MIB, 8 * MIB + 1, 20 * MIB] {
        let scene = Scene::new(length).await;
        let (observer, events) = recorder();
        let done = scene
            .run(&Options {
                observer,
                ..options(4)
            })
            .await
            .unwrap();
        scene.stored(&done);
        assert_eq!((done.how, done.parts_kept), (How::Sent, 0));
        assert_eq!(scene.server.count("PUT"), length.div_ceil(8 * MIB).max(1));
        assert_eq!(net(&events), length as i128);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_upload_goes_on_without_sending_twice() {
    let scene = Scene::new(37 * MIB).await;
    scene
        .server
        .fail("PUT part 3", Fault::Answer(400, "EntityTooLarge"));
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(error, TransferError::StoreRefused { part: 3, .. }),
        "{error}"
    );
    assert_eq!(scene.state(), "open");
    let done = scene.run(&options(4)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_kept, done.parts_sent), (How::Resumed, 2, 3));
    assert_eq!(scene.server.world().uploads.len(), 1);
    for (part, times) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1)] {
        assert_eq!(
            scene.server.count(&format!("PUT part {part}")),
            times,
            "part {part}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_dropped_at_any_moment_goes_on() {
    let scene = Scene::new(20 * MIB).await;
    scene.server.fail("PUT part 2", Fault::Silence);
    let slow = options(1);
    tokio::select! {
        _ = scene.run(&slow) => panic!("part 2 is never answered"),
        () = scene.server.seen("PUT part 2") => {}
    }
    let done = scene.run(&options(4)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.how, done.parts_kept), (How::Resumed, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_part_at_the_store_is_sent_again() {
    let scene = Scene::new(20 * MIB).await;
    scene
        .server
        .fail("PUT part 3", Fault::Answer(400, "EntityTooLarge"));
    scene.run(&options(1)).await.unwrap_err();
    let other = bytes(8 * MIB, 99);
    let digest = crate::fake_store::digest(&other);
    scene.server.world().uploads[0].parts.insert(1, (digest, other));
    let done = scene.run(&options(2)).await.unwrap();
    scene.stored(&done);
    assert_eq!((done.parts_kept, done.parts_sent), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_urls_are_signed_again_for_the_failing_parts_only() {
    let scene = Scene::new(37 * MIB).await;
    // The first batch gets the serials 1 to 5, in order of parts.
    scene.server.world().expired = 2;
    let done = scene.run(&options(4)).await.unwrap();
    scene.stored(&done);
    assert_eq!(scene.server.count("POST uploads/u1/parts"), 3);
    assert_eq!(scene.server.count("PUT"), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_denies_for_ever_ends_with_words() {
    let scene = Scene::new(1).await;
    scene.server.world().expired = usize::MAX;
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        error.to_string().contains("403 Forbidden (AccessDenied)"),
        "{error}"
    );
    assert_eq!(scene.server.count("PUT"), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_failures_cost_one_more_try_of_that_part() {
    let faults = [
        Fault::Answer(500, "InternalError"),
        Fault::Answer(503, "SlowDown"),
        Fault::Answer(400, "RequestTimeout"),
        Fault::Drop,
        Fault::LoseAnswer,
        Fault::Silence,
        Fault::Corrupt,
    ];
    for fault in faults {
        let scene = Scene::new(17 * MIB).await;
        scene.server.fail("PUT part 2", fault);
        let (observer, events) = recorder();
        let stall = if fault == Fault::Silence {
            SHORT_STALL
        } else {
            options(2).stall
        };
        let done = scene
            .run(&Options {
                observer,
                stall,
                ..options(2)
            })
            .await
            .unwrap();
        scene.stored(&done);
        let puts = ["PUT part 1", "PUT part 2", "PUT part 3"].map(|line| scene.server.count(line));
        assert_eq!(puts, [1, 2, 1], "{fault:?}");
        assert_eq!(
            net(&events),
            17 * MIB as i128,
            "progress is honest after {fault:?}"
        );
        let retried = |event: &TransferEvent| matches!(event, TransferEvent::Retrying { part: 2, .. });
        assert!(events.lock().unwrap().iter().any(retried), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_closes_the_connection_is_survived() {
    // The answer may get lost when the store closes while bytes are still on their way.
    for fault in [
        Fault::Early(403, "AccessDenied"),
        Fault::Early(500, "InternalError"),
        Fault::Early(400, "RequestTimeout"),
    ] {
        let scene = Scene::new(17 * MIB).await;
        scene.server.fail("PUT part 2", fault);
        let done = scene.run(&options(2)).await.unwrap();
        scene.stored(&done);
        assert_eq!(scene.server.count("PUT part 2"), 2, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_that_expired_unheard_are_signed_again() {
    let scene = Scene::new(9 * MIB).await;
    // The store closes without a word, twice; the third try brings a new URL.
    scene.server.world().expired = 2;
    scene.server.fail("PUT part 2", Fault::Drop);
    scene.server.fail("PUT part 2", Fault::Drop);
    let done = scene.run(&options(1)).await.unwrap();
    scene.stored(&done);
    assert_eq!(scene.server.count("PUT part 2"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_ends_with_words_and_keeps_what_it_has() {
    let scene = Scene::new(9 * MIB).await;
    for _ in 0..4 {
        scene.server.fail("PUT part 2", Fault::Drop);
    }
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(error, TransferError::StoreUnreachable { part: 2, .. }),
        "{error}"
    );
    assert!(error.next_step().unwrap().contains("finished parts are kept"));
    let done = scene.run(&options(1)).await.unwrap();
    assert_eq!((done.how, done.parts_kept), (How::Resumed, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_damaged_twice_on_the_way_is_told() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.fail("PUT part 2", Fault::Corrupt);
    scene.server.fail("PUT part 2", Fault::Corrupt);
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::Damaged(2)), "{error}");
    assert_eq!(scene.state(), "open");
}
