//! Downloads whose bytes are at another store than the first, from the beginning or from half-way on.

use crate::content::MIB;
use crate::download_scene::Scene;
use crate::server::Server;
use crate::world::{Fault, SIGNATURE};
use crate::{net, options};
use client::transfer::TransferError;

/// A store of another kind that has a copy of the scene's file.
async fn replica(scene: &Scene) -> Server {
    let replica = Server::start().await;
    {
        let mut world = replica.world();
        world.oss = true;
        world.objects.insert("f1".into(), scene.content.clone());
    }
    scene.server.world().elsewhere = vec![replica.address().to_owned()];
    replica
}

/// The address of nobody: bound and closed again.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The bytes that were asked for, first and last.
fn ranges(server: &Server) -> Vec<(usize, usize)> {
    let log = server.world().log.clone();
    let asked = log.iter().filter_map(|line| line.strip_prefix("GET "));
    let bounds = asked.filter_map(|range| range.split_once('-'));
    bounds
        .filter_map(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_primary_is_gone_comes_from_its_replica() {
    for length in [1, 20 * MIB] {
        let scene = Scene::new(length).await;
        let replica = replica(&scene).await;
        scene.server.world().objects.clear();
        scene.run(&options(4)).await.unwrap();
        scene.complete();
        assert_eq!(ranges(&scene.server), []);
        assert_eq!(replica.count("LEAK"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_lost_half_way_goes_on_at_the_replica() {
    let scene = Scene::new(37 * MIB).await;
    let replica = replica(&scene).await;
    scene.server.fail("GET 8388608-", Fault::Vanish(3 * MIB));
    let (done, events) = scene.observed(1).await;
    scene.complete();
    assert_eq!((done.parts_fetched, net(&events)), (5, 37 * MIB as i128));
    assert_eq!(scene.server.count("GET files/f1/content"), 2);
    // The replica gives the rest of the second part, and those after it; nothing is fetched twice.
    let from_replica = ranges(&replica);
    assert_eq!(from_replica.len(), 4, "{from_replica:?}");
    let (first, last) = from_replica[0];
    assert!(
        first > 8 * MIB && first <= 11 * MIB && last == 16 * MIB - 1,
        "{first}-{last}"
    );
    let retold = format!("{:?}", events.lock().unwrap());
    assert!(
        retold.contains("another copy") && !retold.contains(SIGNATURE),
        "{retold}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_streams_move_to_the_replica_at_once() {
    let scene = Scene::new(64 * MIB).await;
    let replica = replica(&scene).await;
    scene.server.fail("GET 16777216-", Fault::Vanish(0));
    let (_, events) = scene.observed(4).await;
    scene.complete();
    assert_eq!(net(&events), 64 * MIB as i128);
    assert!(replica.count("GET ") >= 5, "at least the parts not begun before");
    // Streams that fail together ask once together.
    let asked = scene.server.count("GET files/f1/content");
    assert_eq!(asked, 2);
}

/// Ranges that were under way are begun again, and not counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_ignores_ranges_is_read_in_one_go() {
    let scene = Scene::new(37 * MIB).await;
    let replica = replica(&scene).await;
    replica.world().ignore_ranges = true;
    scene.server.fail("GET 8388608-", Fault::Vanish(3 * MIB));
    let (_, events) = scene.observed(2).await;
    scene.complete();
    assert_eq!(net(&events), 37 * MIB as i128);
    assert_eq!(replica.count("GET all"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_does_not_answer_is_left_for_another() {
    let scene = Scene::new(20 * MIB).await;
    let replica = replica(&scene).await;
    {
        let mut world = scene.server.world();
        world.objects.clear();
        world.elsewhere.insert(0, nobody());
    }
    scene.run(&options(1)).await.unwrap();
    scene.complete();
    assert_eq!(scene.server.count("GET files/f1/content"), 2);
    assert_eq!(ranges(&replica).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_to_a_replica_is_renewed_when_it_expires() {
    let scene = Scene::new(20 * MIB).await;
    let replica = replica(&scene).await;
    scene.server.world().objects.clear();
    replica.world().expired = 1;
    scene.run(&options(1)).await.unwrap();
    scene.complete();
    assert_eq!(scene.server.count("GET files/f1/content"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_replica_never_gets_the_name() {
    let scene = Scene::new(17 * MIB).await;
    let replica = replica(&scene).await;
    scene.server.fail("GET 8388608-", Fault::Vanish(0));
    replica.fail("GET 8388608-", Fault::Corrupt);
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::Mismatch { .. }), "{error}");
    assert_eq!(scene.names(), Vec::<String>::new());
}

/// The API may take a while to notice, but it does not take forever to say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_never_has_it_is_told_in_the_end() {
    let scene = Scene::new(5).await;
    let replica = replica(&scene).await;
    scene.server.world().objects.clear();
    replica.world().objects.clear();
    let error = scene.run(&options(1)).await.unwrap_err();
    assert!(matches!(error, TransferError::StoreLost(1)), "{error}");
    assert_eq!(
        (replica.count("GET "), scene.server.count("GET files/f1/content")),
        (4, 4)
    );
}
