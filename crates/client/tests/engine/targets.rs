//! What operators ask about targets.

use crate::api;
use crate::fake_targets::target;
use crate::server::Server;
use crate::world::Fault;
use client::types::{Role, TargetStatus};
use serde_json::json;

async fn operated(failed: u64) -> Server {
    let server = Server::start().await;
    {
        let mut world = server.world();
        world.operator = true;
        world.targets = vec![target("ceph", failed), target("o/ss", 0)];
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_are_listed_and_redriven_bit_by_bit() {
    let server = operated(3).await;
    let api = api(&server);
    let redriven = api.redrive("ceph").await.unwrap();
    assert_eq!((redriven.redriven, redriven.more), (2, true));
    let redriven = api.redrive("ceph").await.unwrap();
    assert_eq!((redriven.redriven, redriven.more), (1, false));
    let targets = api.targets().await.unwrap();
    let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["ceph", "o/ss"]);
    assert_eq!(targets[0].status, TargetStatus::Active);
    assert_eq!((targets[0].failed, targets[0].pending), (0, 3));
}

/// What was redriven is no longer given up, so nothing is redriven twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redriving_is_repeated_after_passing_failures() {
    for (fault, left) in [
        (Fault::LoseAnswer, 1),
        (Fault::Drop, 3),
        (Fault::Answer(503, "unavailable"), 3),
    ] {
        let server = operated(5).await;
        server.fail("POST targets/ceph/redrive", fault);
        assert!(api(&server).redrive("ceph").await.unwrap().more, "{fault:?}");
        assert_eq!(server.world().targets[0]["failed"], json!(left), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_operator_is_told_so_and_nothing_is_guessed() {
    let server = operated(1).await;
    server.world().operator = false;
    let api = api(&server);
    for error in [
        api.targets().await.unwrap_err(),
        api.redrive("ceph").await.unwrap_err(),
    ] {
        assert!(error.is("forbidden"), "{error}");
        assert_eq!(
            (error.to_string().as_str(), error.next_step()),
            ("about forbidden", None)
        );
    }
    assert_eq!(
        (server.count("GET"), server.count("POST")),
        (1, 1),
        "refused once is refused"
    );
    assert_eq!(server.world().targets[0]["failed"], json!(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_nobody_knows_is_told_and_names_are_encoded() {
    let server = operated(1).await;
    let error = api(&server).redrive("nowhere").await.unwrap_err();
    assert!(error.is("not_found"), "{error}");
    let _ = api(&server).redrive("o/ss").await;
    assert_eq!(server.count("POST targets/o%2Fss/redrive"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_says_its_role() {
    let server = Server::start().await;
    assert_eq!(api(&server).account().await.unwrap().role, Role::User);
    server.world().operator = true;
    assert_eq!(api(&server).account().await.unwrap().role, Role::Operator);
}
