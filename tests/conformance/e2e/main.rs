//! Puts the stack under test through the scenarios, a real Ceph through those of S3, and the DynamoDB of others through those. What is known to differ is in
//! `differences.rs` and in a table of `docs/where-it-runs.md`, and all three are held to each other.
//!
//! `cargo xtask test conformance` runs this, and `cargo xtask test` with the other end-to-end tests.

#![allow(
    clippy::disallowed_methods,
    reason = "tests run in real time, where variables say"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where it fails, and says so"
)]

mod differences;
mod documented;
mod others;
mod places;
mod server;

use conformance::run::{Difference, Scenario, failures};
use conformance::{dynamodb, s3, secrets, sqs};
use others::Other;
use places::{
    dynamodb_place, remove_bucket, remove_queues, remove_secret, remove_table, s3_place, secrets_place,
    sqs_place,
};
use server::Server;

/// How many scenarios run at once where they are at work all the time.
const AT_ONCE: usize = 4;

async fn hold<P>(
    scenarios: &[Scenario<P>],
    differences: &[Difference],
    at_once: usize,
    make: impl AsyncFn() -> P,
    remove: impl AsyncFn(P),
) {
    let failures = failures(scenarios, differences, at_once, make, remove).await;
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

async fn hold_s3(server: &Server) {
    let differences = differences::of("s3", &server.name);
    let make = async || s3_place(server).await;
    hold(s3::SCENARIOS, &differences, AT_ONCE, make, remove_bucket).await;
}

#[tokio::test]
async fn conformance_of_s3() {
    hold_s3(&Server::under_test()).await;
}

#[tokio::test]
async fn conformance_of_s3_at_a_real_ceph() {
    hold_s3(&Server::ceph()).await;
}

async fn hold_dynamodb(server: &Server, differences: &[Difference], at_once: usize) {
    let make = async || dynamodb_place(server).await;
    hold(dynamodb::SCENARIOS, differences, at_once, make, remove_table).await;
}

#[tokio::test]
async fn conformance_of_dynamodb() {
    hold_dynamodb(&Server::under_test(), &[], AT_ONCE).await;
}

#[tokio::test]
async fn conformance_of_ministacks_own_dynamodb() {
    let other = Other::ministack();
    let differences = differences::of("dynamodb", "ministack");
    hold_dynamodb(&other.server, &differences, AT_ONCE).await;
}

#[tokio::test]
async fn conformance_of_moto() {
    let other = Other::moto();
    let differences = differences::of("dynamodb", "moto");
    hold_dynamodb(&other.server, &differences, 1).await;
}

#[tokio::test]
async fn conformance_of_sqs() {
    let server = Server::under_test();
    let differences = differences::of("sqs", &server.name);
    let make = async || sqs_place(&server).await;
    // They do little but wait.
    hold(
        sqs::SCENARIOS,
        &differences,
        sqs::SCENARIOS.len(),
        make,
        remove_queues,
    )
    .await;
}

#[tokio::test]
async fn conformance_of_secrets() {
    let server = Server::under_test();
    let differences = differences::of("secrets", &server.name);
    let make = async || secrets_place(&server).await;
    hold(secrets::SCENARIOS, &differences, AT_ONCE, make, remove_secret).await;
}

#[tokio::test]
async fn a_list_of_conformance_that_is_not_true_fails() {
    const SCENARIOS: &[Scenario<()>] = &[
        Scenario {
            name: "good",
            run: |()| Box::pin(async {}),
        },
        Scenario {
            name: "bad",
            run: |()| Box::pin(async { panic!("for a reason") }),
        },
    ];
    let told = async |names: &[&'static str]| {
        let listed = names.iter().map(|scenario| Difference {
            scenario,
            instead: "nothing",
        });
        let listed: Vec<_> = listed.collect();
        failures(SCENARIOS, &listed, 1, async || (), async |()| ()).await
    };
    assert_eq!(told(&["bad"]).await, [""; 0]);
    let wrong = [
        "none is no scenario: remove it from the list",
        "good passes: remove it from the list, where it says: nothing",
        "bad fails: for a reason",
    ];
    assert_eq!(told(&["good", "none"]).await, wrong);
}
