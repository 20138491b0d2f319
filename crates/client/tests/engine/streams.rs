//! Downloads to where bytes can only be passed on, from a store that fails on demand.

use crate::content::{MIB, bytes};
use crate::download_scene::Scene;
use crate::fake_files::replace;
use crate::world::Fault;
use crate::{api, net, options, recorder};
use client::transfer::{Downloaded, Options, Output, TransferError, TransferEvent, stream};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Remembers what it was given, and has room for so much.
#[derive(Clone)]
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut had = self.bytes.lock().unwrap();
        let fits = bytes.len().min(self.room - had.len());
        if fits == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        had.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Streams the file; also returns what arrived.
async fn run(scene: &Scene, options: &Options, room: usize) -> (Result<Downloaded, TransferError>, Vec<u8>) {
    let pipe = Pipe {
        bytes: Arc::default(),
        room,
    };
    let output = Output {
        name: "pipe".into(),
        writer: Box::new(pipe.clone()),
    };
    let done = stream(&api(&scene.server), &scene.request.file, output, options).await;
    assert_eq!(scene.names(), [""; 0], "nothing is left on the disk");
    let bytes = pipe.bytes.lock().unwrap().clone();
    (done, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_size_is_passed_on() {
    for length in [0, 1, 8 * MIB, 8 * MIB + 1, 20 * MIB] {
        let scene = Scene::new(length).await;
        let (observer, events) = recorder();
        let options = Options {
            observer,
            ..options(4)
        };
        let (done, bytes) = run(&scene, &options, usize::MAX).await;
        let done = done.unwrap();
        assert!(bytes == scene.content, "{length}");
        assert_eq!(
            (Some(done.content_id), done.size),
            (scene.request.file.content_id, length as u64)
        );
        assert_eq!(net(&events), length as i128);
        let parts = events.lock().unwrap();
        let parts = parts
            .iter()
            .filter(|event| matches!(event, TransferEvent::PartDone(_)));
        assert_eq!(parts.count(), length.div_ceil(8 * MIB));
    }
}

/// A connection that is lost costs nothing and doubles nothing, whether the store knows ranges or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_goes_on_with_the_next_byte() {
    for (ignore_ranges, second) in [(false, "GET 1"), (true, "GET all")] {
        let scene = Scene::new(20 * MIB).await;
        scene.server.world().ignore_ranges = ignore_ranges;
        scene.server.fail("GET 0-", Fault::Cut(11 * MIB + 3));
        scene.server.fail(second, Fault::Drop);
        let (done, bytes) = run(&scene, &options(1), usize::MAX).await;
        done.unwrap();
        assert!(bytes == scene.content, "{second}");
        assert_eq!(scene.server.count("GET all"), if ignore_ranges { 2 } else { 0 });
    }
}

/// The bytes are gone by then, but nobody calls them right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_bytes_are_told() {
    let scene = Scene::new(17 * MIB).await;
    scene.server.fail("GET 0-", Fault::Corrupt);
    let (done, _) = run(&scene, &options(1), usize::MAX).await;
    let error = done.unwrap_err();
    assert!(matches!(error, TransferError::Wrong { .. }), "{error}");
    assert!(error.to_string().contains("do not use them"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_that_takes_no_more_ends_it() {
    let scene = Scene::new(20 * MIB).await;
    let (done, bytes) = run(&scene, &options(1), 3 * MIB).await;
    let error = done.unwrap_err();
    assert!(matches!(error, TransferError::Disk { .. }), "{error}");
    assert!(bytes == scene.content[..3 * MIB]);
}

/// Before the first byte it can begin anew. After that, two files would be one after the other in the output.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_meanwhile() {
    let scene = Scene::new(20 * MIB).await;
    let new = bytes(9 * MIB, 4);
    replace(&mut scene.server.world(), &new);
    let (done, got) = run(&scene, &options(1), usize::MAX).await;
    assert_eq!(done.unwrap().size, new.len() as u64);
    assert!(got == new);

    let scene = Scene::new(MIB).await;
    scene.server.fail("GET 0-", Fault::Replace(1));
    let (done, _) = run(&scene, &options(1), usize::MAX).await;
    let error = done.unwrap_err();
    assert!(matches!(error, TransferError::Replaced(_)), "{error}");
}
