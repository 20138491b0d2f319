//! The table of the stack under test.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use serde::Deserialize;
use std::{env, fs};
use store::{Aws, Objects, Table};

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
    let (aws, stack) = aws().await;
    Table::named(&aws, stack.table)
}

/// The bucket.
pub(crate) async fn objects() -> Objects {
    let (aws, stack) = aws().await;
    Objects::named(&aws, stack.bucket)
}

/// A test that cannot run must not look as if it had.
async fn aws() -> (Aws, Stack) {
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
    (Aws::from(config.await), stack)
}
