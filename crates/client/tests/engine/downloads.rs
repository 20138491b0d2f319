//! Downloads from a store that fails on demand.

use crate::content::{MIB, bytes};
use crate::download_scene::Scene;
use crate::fake_files::{content_id, replace};
use crate::world::Fault;
use crate::{SHORT_STALL, net, options};
use client::transfer::{Options, TransferError, TransferEvent};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_size_arrives() {
    for length in [0, 1, 8 * MIB, 8 * MIB + 1, 20 * MIB] {
        let scene = Scene::new(length).await;
        let (done, events) = scene.observed(4).await;
        scene.complete();
        assert_eq!(Some(done.content_id), scene.request.file.content_id);
        assert_eq!(
            scene.server.count("GET files/f1/content"),
            usize::from(length > 0)
        );
        assert_eq!(net(&events), length as i128);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_download_goes_on_with_what_it_lacks() {
    let scene = Scene::new(37 * MIB).await;
    scene
        .server
        .fail("GET 16777216-", Fault::Answer(400, "InvalidRequest"));
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(error, TransferError::StoreRefused { part: 3, .. }),
        "{error}"
    );
    scene.part();
    let done = scene.run(&options(4)).await.unwrap();
    scene.complete();
    assert_eq!((done.parts_kept, done.parts_fetched), (2, 3));
    assert_eq!(scene.server.count("GET 0-"), 1);
    assert_eq!(scene.server.count("GET 8388608-"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_rotted_on_this_disk_is_fetched_again() {
    let scene = Scene::new(20 * MIB).await;
    scene
        .server
        .fail("GET 16777216-", Fault::Answer(400, "InvalidRequest"));
    scene.run(&options(1)).await.unwrap_err();
    let part = scene.part();
    let mut kept = fs::read(&part).unwrap();
    kept[5] ^= 1;
    fs::write(&part, kept).unwrap();
    let done = scene.run(&options(4)).await.unwrap();
    scene.complete();
    assert_eq!((done.parts_kept, done.parts_fetched), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_part_file_or_journal_begins_anew() {
    for lost in [true, false] {
        let scene = Scene::new(9 * MIB).await;
        scene
            .server
            .fail("GET 8388608-", Fault::Answer(400, "InvalidRequest"));
        scene.run(&options(1)).await.unwrap_err();
        let part = scene.part();
        let journal = part.with_file_name(format!("{}.journal", part.file_name().unwrap().to_str().unwrap()));
        fs::remove_file(if lost { part } else { journal }).unwrap();
        let done = scene.run(&options(4)).await.unwrap();
        scene.complete();
        assert_eq!(done.parts_kept, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_url_is_renewed() {
    let scene = Scene::new(20 * MIB).await;
    scene.server.world().expired = 1;
    scene.run(&options(1)).await.unwrap();
    scene.complete();
    assert_eq!(scene.server.count("GET files/f1/content"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_goes_on_where_it_was() {
    let scene = Scene::new(17 * MIB).await;
    scene.server.fail("GET 8388608-", Fault::Cut(3 * MIB));
    let (_, events) = scene.observed(2).await;
    scene.complete();
    assert_eq!(net(&events), 17 * MIB as i128);
    let log = scene.server.world().log.clone();
    let again: Vec<_> = log
        .iter()
        .filter(|line| line.ends_with("-16777215") && !line.contains(" 8388608-"))
        .collect();
    assert_eq!(again.len(), 1, "{log:?}");
    let from: usize = again[0]
        .trim_start_matches("GET ")
        .split('-')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(from > 8 * MIB && from <= 11 * MIB, "{from}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_failures_are_tried_again() {
    for fault in [
        Fault::Answer(500, "InternalError"),
        Fault::Answer(503, "SlowDown"),
        Fault::Drop,
        Fault::Silence,
    ] {
        let scene = Scene::new(9 * MIB).await;
        scene.server.fail("GET 8388608-", fault);
        let stall = if fault == Fault::Silence {
            SHORT_STALL
        } else {
            options(1).stall
        };
        scene.run(&Options { stall, ..options(2) }).await.unwrap();
        scene.complete();
        assert_eq!(scene.server.count("GET 8388608-"), 2, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_never_get_the_name() {
    let scene = Scene::new(17 * MIB).await;
    scene.server.fail("GET 8388608-", Fault::Corrupt);
    let error = scene.run(&options(4)).await.unwrap_err();
    assert!(matches!(error, TransferError::Mismatch { .. }), "{error}");
    assert!(error.next_step().unwrap().contains("run the same command again"));
    assert_eq!(scene.names(), Vec::<String>::new());
    scene.run(&options(4)).await.unwrap();
    scene.complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_ignores_ranges_is_read_in_one_go() {
    let scene = Scene::new(37 * MIB).await;
    scene.server.world().ignore_ranges = true;
    let (_, events) = scene.observed(4).await;
    scene.complete();
    assert_eq!(net(&events), 37 * MIB as i128);
    assert_eq!(scene.server.count("GET all"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_in_one_go_survives_a_lost_connection() {
    let scene = Scene::new(20 * MIB).await;
    scene.server.world().ignore_ranges = true;
    scene.server.fail("GET all", Fault::Cut(12 * MIB));
    scene.server.fail("GET all", Fault::Drop);
    let (_, events) = scene.observed(4).await;
    scene.complete();
    assert_eq!(scene.server.count("GET all"), 3);
    assert_eq!(net(&events), 20 * MIB as i128);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_another_size_is_refused() {
    for (ranges, length) in [
        (true, 9 * MIB),
        (true, 7 * MIB),
        (false, 9 * MIB),
        (false, 7 * MIB),
    ] {
        let scene = Scene::new(8 * MIB).await;
        scene.server.world().ignore_ranges = !ranges;
        scene.server.world().objects.insert("f1".into(), bytes(length, 3));
        let error = scene.run(&options(1)).await.unwrap_err();
        assert!(matches!(error, TransferError::StoreRefused { .. }), "{error}");
        assert!(!scene.request.target.exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_replaced_only_when_asked() {
    let mut scene = Scene::new(5).await;
    fs::write(&scene.request.target, b"mine").unwrap();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::TargetExists(_)), "{error}");
    assert!(scene.server.world().log.is_empty(), "no call was made");
    assert_eq!(fs::read(&scene.request.target).unwrap(), b"mine");
    scene.request.overwrite = true;
    scene.run(&options(1)).await.unwrap();
    scene.complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_do_not_meet() {
    let scene = Scene::new(9 * MIB).await;
    scene.server.fail("GET 8388608-", Fault::Silence);
    let slow = Options {
        stall: SHORT_STALL,
        ..options(1)
    };
    let second = async {
        scene.server.seen("GET 8388608-").await;
        scene.run(&options(1)).await
    };
    let (first, second) = tokio::join!(scene.run(&slow), second);
    assert!(matches!(second, Err(TransferError::InUse(_))));
    first.unwrap();
    scene.complete();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_removed_meanwhile_is_told() {
    let scene = Scene::new(5).await;
    scene
        .server
        .fail("GET files/f1/content", Fault::Answer(404, "not_found"));
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("not_found")),
        "{error}"
    );
    scene.server.world().objects.clear();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(
        matches!(&error, TransferError::Api(error) if error.is("unavailable")),
        "{error}"
    );
}

/// As soon as it is begun, which is after the file was looked at; or half-way, when the URL has expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_meanwhile_is_downloaded_as_it_is_then() {
    for length in [9 * MIB, 20 * MIB] {
        for (what, half_way) in [("the same size or not", false), ("a new URL", true)] {
            let mut scene = Scene::new(20 * MIB).await;
            let new = bytes(length, 4);
            if half_way {
                scene.server.world().expired = 1;
            }
            replace(&mut scene.server.world(), &new);
            let old = std::mem::replace(&mut scene.content, new);
            let (done, events) = scene.observed(1).await;
            scene.complete();
            assert_ne!(content_id(&old), done.content_id.to_string());
            assert_eq!(done.size, length as u64);
            let told = events.lock().unwrap().contains(&TransferEvent::Replaced);
            assert!(told, "{what}, {length} bytes");
            if half_way {
                assert_eq!(scene.server.count("GET 0-"), 2, "nothing is fetched in vain");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_again_and_again_ends() {
    let scene = Scene::new(MIB).await;
    for seed in 0..10 {
        scene.server.fail("GET 0-", Fault::Replace(seed));
    }
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::Replaced(_)), "{error}");
    assert_eq!(scene.server.count("GET 0-"), 3);
    assert!(!scene.request.target.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_interrupted_download_of_other_bytes_left_is_removed() {
    let mut scene = Scene::new(9 * MIB).await;
    scene
        .server
        .fail("GET 8388608-", Fault::Answer(400, "InvalidRequest"));
    scene.run(&options(1)).await.unwrap_err();
    scene.part();
    let new = bytes(10 * MIB, 4);
    replace(&mut scene.server.world(), &new);
    scene.request.file = serde_json::from_value(scene.server.world().nodes[0].clone()).unwrap();
    scene.content = new;
    scene.run(&options(2)).await.unwrap();
    scene.complete();
}

/// What is known before the first byte is not found out after the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_cannot_be_is_told_before_the_first_byte() {
    let mut scene = Scene::new(5).await;
    scene.request.overwrite = true;
    let folder = scene.folder.path();
    fs::create_dir(folder.join("folder")).unwrap();
    fs::write(folder.join("file"), b"").unwrap();
    std::os::unix::fs::symlink("file", folder.join("link")).unwrap();
    let pipe = folder.join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let long = "n".repeat(300);
    for name in [
        "folder",
        "link",
        "pipe",
        "file/below",
        "missing/file",
        long.as_str(),
    ] {
        scene.request.target = scene.folder.path().join(name);
        let error = scene.run(&options(1)).await.unwrap_err();
        assert!(matches!(error, TransferError::Disk { .. }), "{name}: {error}");
    }
    assert_eq!(scene.server.world().log, [""; 0], "no call was made");
    assert!(
        fs::symlink_metadata(pipe).is_ok_and(|there| !there.is_file()),
        "the pipe is still one"
    );
}
