//! Local files that are not what they seem, or change while they are uploaded.

use crate::content::MIB;
use crate::options;
use crate::uploads::Scene;
use client::transfer::{Ends, Observer, Options, TransferError, TransferEvent, UploadRequest};
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// Changes the file when part `after` is done, without changing its length.
fn meddler(path: &Path, after: u32, at: usize) -> Observer {
    let path = path.to_owned();
    let content = Mutex::new(fs::read(&path).unwrap());
    Observer::new(move |event| {
        if event == TransferEvent::PartDone(after) {
            let mut content = content.lock().unwrap();
            content[at] ^= 1;
            fs::write(&path, &*content).unwrap();
            let later = SystemTime::now() + Duration::from_secs(5);
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(later)
                .unwrap();
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_meanwhile_is_noticed_wherever_it_changes() {
    // In a part still to be sent the store notices; in one already sent the clock does.
    for at in [8 * MIB + 3, 3] {
        let scene = Scene::new(17 * MIB).await;
        let observer = meddler(&scene.path, 1, at);
        let error = scene
            .run(&Options {
                observer,
                ..options(1)
            })
            .await
            .unwrap_err();
        assert!(matches!(error, TransferError::Changed(_)), "{error}");
        assert_eq!(scene.state(), "open");
        assert!(scene.server.world().nodes.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_gets_shorter_meanwhile_is_noticed() {
    let scene = Scene::new(17 * MIB).await;
    let path = scene.path.clone();
    let observer = Observer::new(move |event| {
        if event == TransferEvent::PartDone(1) {
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(9)
                .unwrap();
        }
    });
    let error = scene
        .run(&Options {
            observer,
            ..options(1)
        })
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::Changed(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_grows_meanwhile_is_noticed() {
    let grow = |path: &Path| {
        fs::File::options()
            .append(true)
            .open(path)
            .unwrap()
            .write_all(b"more")
            .unwrap();
    };
    for moment in [
        TransferEvent::HashingBegan(17 * MIB as u64),
        TransferEvent::PartDone(1),
        TransferEvent::PartDone(3),
    ] {
        let scene = Scene::new(17 * MIB).await;
        let (path, at) = (scene.path.clone(), moment.clone());
        let observer = Observer::new(move |event| {
            if event == at {
                grow(&path);
            }
        });
        let error = scene
            .run(&Options {
                observer,
                ..options(1)
            })
            .await
            .unwrap_err();
        assert!(matches!(error, TransferError::Changed(_)), "{moment:?}: {error}");
        assert!(scene.server.world().nodes.is_empty());
    }
}

async fn refused(scene: &Scene, path: &Path) -> TransferError {
    let request = UploadRequest {
        path: path.to_owned(),
        ..scene.request()
    };
    let error = scene.run_of(&request, &options(1)).await.unwrap_err();
    assert!(
        scene.server.world().log.is_empty(),
        "{}: no call was made",
        path.display()
    );
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_plain_file_is_refused_with_what_it_is() {
    let scene = Scene::new(1).await;
    let folder = scene.path.parent().unwrap();
    let error = refused(&scene, folder).await;
    assert!(matches!(error, TransferError::Folder(_)), "{error}");
    let error = refused(&scene, &folder.join("none")).await;
    assert!(matches!(error, TransferError::Disk { .. }), "{error}");
    let link = folder.join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let error = refused(&scene, &link).await;
    assert!(matches!(error, TransferError::Dangling { .. }), "{error}");
    let _socket = UnixListener::bind(folder.join("socket")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe"))
        .status();
    assert!(made.unwrap().success());
    let specials = [
        (folder.join("socket"), "a socket"),
        (folder.join("pipe"), "a pipe"),
        ("/dev/zero".into(), "a device"),
    ];
    for (path, kind) in specials {
        let error = refused(&scene, &path).await;
        assert!(
            matches!(error, TransferError::Special { what, .. } if what == kind),
            "{error}"
        );
        assert!(error.next_step().is_some());
    }
}

/// What the system makes up while it is read: its size says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_size_is_not_true_is_refused() {
    let scene = Scene::new(1).await;
    let candidates = [
        "/proc/cpuinfo",
        "/proc/self/status",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/devices/system/cpu/online",
    ];
    let mut judged = 0;
    for path in candidates.map(Path::new) {
        let Ok(content) = fs::read(path) else { continue };
        let said = fs::metadata(path).unwrap().len();
        let ends = match said.cmp(&(content.len() as u64)) {
            std::cmp::Ordering::Less => Ends::Late,
            std::cmp::Ordering::Greater => Ends::Early,
            std::cmp::Ordering::Equal => continue,
        };
        judged += 1;
        let error = refused(&scene, path).await;
        let fits = matches!(&error, TransferError::SizeUntrue { size, ends: found, .. } if (*size, *found) == (said, ends));
        assert!(fits, "{error:?}");
    }
    assert!(judged > 0, "this system has no such file");
}
