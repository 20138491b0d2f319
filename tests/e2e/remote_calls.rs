//! What each endpoint asks of AWS, as `docs/remote-calls.md` says. The page cannot lie: this test compares.
//!
//! With `LONGSHORE_WRITE_DOCS=1` it writes the table instead.

mod requests;
mod table;

use crate::harness::audit;
use crate::harness::person::Person;
use crate::harness::stack::root;
use crate::harness::workers::Queues;
use std::collections::BTreeSet;
use table::{Table, TargetRegistry};

const BEGIN: &str = "<!-- The table is held by tests/e2e/remote_calls.rs. -->\n";

/// An endpoint, but one that calls nothing.
const CALLS_NOTHING: &str = "openapi-get";

async fn measured() -> String {
    let mut table = Table {
        person: Person::new().await,
        target_registry: TargetRegistry::new().await,
        queues: Queues::new().await,
        lines: format!("| `GET /v1/openapi.json` | `{CALLS_NOTHING}` |  | 0 |  |\n"),
        seen: BTreeSet::from([CALLS_NOTHING.to_owned()]),
    };
    table.accounts().await;
    table.uploads().await;
    table.proofs().await;
    table.keys().await;
    table.files().await;
    table.targets().await;
    audit::account(&table.person).await;
    table.endings().await;
    table.queues.delete().await;
    let endpoints = wire::ENDPOINTS
        .iter()
        .map(|endpoint| endpoint.function.to_owned());
    let missing: Vec<_> = endpoints
        .filter(|function| !table.seen.contains(function))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: call these in tests/e2e/remote_calls/requests.rs"
    );
    format!(
        "\n| endpoint | function | case | calls | which |\n|---|---|---|---|---|\n{}",
        table.lines
    )
}

#[tokio::test]
async fn the_documented_remote_calls_are_the_real_ones() {
    let path = root().join("docs/remote-calls.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, documented) = page.split_once(BEGIN).expect("the page has its table");
    let measured = measured().await;
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{measured}")).unwrap();
        return;
    }
    for (documented, measured) in documented.lines().zip(measured.lines()) {
        assert_eq!(
            documented, measured,
            "run this test with LONGSHORE_WRITE_DOCS=1 if this is what it should be"
        );
    }
    assert_eq!(documented, measured);
}
