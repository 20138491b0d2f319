//! Every request of a worker to its target fails in every way, and the worker is killed before and after each. The message
//! comes again, and the replica is there, with nothing left over. To S3 they all do so in the simulation
//! (`crates/simulation/tests/faults`), and to Ceph some of them here.
//!
//! Nothing here knows which requests a worker makes. A run without faults counts them; then each befalls a file of its own.

use crate::harness::bytes::{PART, fresh};
use crate::harness::target_proxy::{Asked, Fate};
use crate::harness::test_targets::{Kind, ReplicationFixture, Stored, TestTarget};
use crate::harness::workers::{Queues, WorkerOptions, Workers};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const WAYS: [Fate; 6] = [
    Fate::Refuse,
    Fate::Reset,
    Fate::ResetHalfway,
    Fate::LoseAnswer,
    Fate::KillBefore,
    Fate::KillAfter,
];
/// How many files are copied at a time.
const AT_ONCE: usize = 12;

/// What befalls the requests about one blob.
#[derive(Default)]
struct Site {
    /// Which request, from 1, and what becomes of it.
    fault: Option<(usize, Fate)>,
    seen: Vec<String>,
    worker: Option<Arc<Workers>>,
}

/// Every blob under test.
#[derive(Default, Clone)]
struct Sites(Arc<Mutex<HashMap<String, Site>>>);

impl Sites {
    /// What becomes of a request.
    fn judge(&self, asked: &Asked) -> Fate {
        let mut sites = self.0.lock().unwrap();
        let Some((_, site)) = sites.iter_mut().find(|(blob, _)| asked.path.contains(*blob)) else {
            return Fate::Pass;
        };
        site.seen.push(asked.operation.clone());
        match site.fault {
            Some((number, fate)) if number == site.seen.len() => fate,
            _ => Fate::Pass,
        }
    }

    /// Kills the worker that asks.
    fn kill(&self, asked: &Asked) {
        let sites = self.0.lock().unwrap();
        let site = sites.iter().find(|(blob, _)| asked.path.contains(*blob));
        let worker = site.and_then(|(_, site)| site.worker.clone());
        drop(sites);
        worker.expect("somebody asks").kill(0);
    }
}

/// A file that one worker copies, with one fault. Returns what it asked the target for.
async fn copy(
    fixture: &ReplicationFixture,
    sites: &Sites,
    stored: &Stored,
    fault: Option<(usize, Fate)>,
) -> Vec<String> {
    let (place, blob) = (&fixture.places[0], &stored.blob);
    let queues = Queues::new().await;
    let options = WorkerOptions {
        impatient: true,
        ..WorkerOptions::usual(1)
    };
    let worker = Arc::new(Workers::start(&queues, options));
    let site = Site {
        fault,
        worker: Some(Arc::clone(&worker)),
        seen: Vec::new(),
    };
    sites.0.lock().unwrap().insert(blob.clone(), site);
    queues.start(blob, &place.name).await;
    fixture.available(stored, place).await;
    worker.idle().await;
    let kills = matches!(fault, Some((_, Fate::KillBefore | Fate::KillAfter)));
    assert_eq!(worker.deaths(), usize::from(kills), "{fault:?}");
    assert!(queues.dead_letters().await.is_empty(), "{fault:?}");
    let site = sites.0.lock().unwrap().remove(blob).unwrap();
    if let Some((number, _)) = fault {
        assert!(
            site.seen.len() >= number,
            "{fault:?}: there were only {:?}",
            site.seen
        );
    }
    worker.stop().await;
    queues.delete().await;
    site.seen
}

/// One fault in so many is tried. The number of ways is no multiple of it.
const ONE_IN: usize = 5;

/// Faults at the requests for a file of this size. `least`: how many requests there are at least.
async fn faults(kind: Kind, size: usize, least: usize) {
    let sites = Sites::default();
    let (judge, kill) = (sites.clone(), sites.clone());
    let place = TestTarget::new(kind, move |asked| judge.judge(asked)).await;
    place.relay.on_kill(move |asked| kill.kill(asked));
    let fixture = ReplicationFixture::new(vec![place]).await;
    let store = async |name: &str| {
        let bytes = fresh(size);
        (fixture.store(name, &bytes).await, bytes)
    };
    let unharmed = store("unharmed").await;
    let requests = copy(&fixture, &sites, &unharmed.0, None).await;
    println!("{kind:?}, {size} bytes: {requests:?}");
    assert!(requests.len() >= least, "{requests:?}");
    let all = (1..=requests.len()).flat_map(|number| WAYS.map(|way| (number, way)));
    // What has no body has no half of it.
    let has_body = |number: usize| ["PutObject", "UploadPart"].contains(&requests[number - 1].as_str());
    let all = all.filter(|(number, way)| *way != Fate::ResetHalfway || has_body(*number));
    let harmed = stream::iter(all.step_by(ONE_IN)).map(async |(number, way)| {
        let what = format!("{} {way:?} {number}", requests[number - 1]);
        let (stored, bytes) = store(&what).await;
        copy(&fixture, &sites, &stored, Some((number, way))).await;
        (stored, bytes)
    });
    let mut files: Vec<(Stored, Bytes)> = harmed.buffer_unordered(AT_ONCE).collect().await;
    files.push(unharmed);
    let files: Vec<(&Stored, &Bytes)> = files.iter().map(|(stored, bytes)| (stored, bytes)).collect();
    fixture.check(&fixture.places[0], &files, "each call").await;
    fixture.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_small_file_to_oss() {
    faults(Kind::Oss, 1000, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_large_file_to_oss() {
    faults(Kind::Oss, PART + 1, 6).await;
}

mod real_ceph {
    use super::{Kind, PART, faults};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_a_small_file() {
        faults(Kind::Ceph, 1000, 1).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_a_large_file() {
        faults(Kind::Ceph, PART + 1, 6).await;
    }
}
