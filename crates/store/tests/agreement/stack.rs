//! The table of the stack under test.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use host::{Clock, Rng};
use jiff::Timestamp;
use serde::Deserialize;
use std::str::FromStr;
use std::{env, fs};
use store::{Environment, Objects, Table};

/// What these tests need of `stack.json`, as `cargo xtask` wrote it.
#[derive(Deserialize)]
struct Stack {
    endpoint: String,
    region: String,
    table: String,
    bucket: String,
}

/// The table.
pub(crate) async fn table() -> Table {
    let (environment, stack) = aws().await;
    Table::named(&environment, stack.table)
}

/// The bucket.
pub(crate) async fn objects() -> Objects {
    let (environment, stack) = aws().await;
    Objects::named(&environment, stack.bucket)
}

/// A test that cannot run must not look as if it had.
async fn aws() -> (Environment, Stack) {
    let Some(path) = env::var_os("LONGSHORE_STACK") else {
        panic!(
            "LONGSHORE_STACK is not set: these tests need a stack, run them with `cargo xtask test`, or with \
             LONGSHORE_STACK=<the stack.json of `cargo xtask up`>"
        );
    };
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stack: Stack =
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        !stack.endpoint.is_empty(),
        "these tests are for emulated stacks: {}",
        path.display()
    );
    let config = aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(&stack.endpoint)
        .region(Region::new(stack.region.clone()))
        .load();
    let environment = Environment::new(config.await, Clock::system(), Rng::system());
    (environment, stack)
}

/// The present moment.
pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}

/// A new identifier.
pub(crate) fn new_id<T: FromStr>() -> T {
    Rng::system().id()
}
