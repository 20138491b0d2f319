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
    let endpoints: BTreeSet<_> = endpoints.collect();
    let others: Vec<_> = endpoints.symmetric_difference(&table.seen).collect();
    assert!(
        others.is_empty(),
        "each endpoint has its lines, but {others:?}: tests/e2e/remote_calls/requests.rs calls them"
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
        assert!(
            calls(documented) == calls(measured),
            "run this test with LONGSHORE_WRITE_DOCS=1 if this is what it should be:\n{measured}\nand not\n{documented}"
        );
    }
    assert_eq!(documented.lines().count(), measured.lines().count());
}

/// A line, and its calls in the order of their names: some are made at the same time, and arrive in any order.
fn calls(line: &str) -> (&str, Vec<&str>) {
    let (before, calls) = line
        .trim_end_matches(" |")
        .rsplit_once(" | ")
        .unwrap_or((line, ""));
    let mut calls: Vec<_> = calls.split(", ").collect();
    calls.sort_unstable();
    (before, calls)
}

#[test]
fn calls_at_the_same_time_arrive_in_any_order() {
    let line = |calls| format!("| `GET /v1/files` | `file-list` | the top | 3 | {calls} |");
    let (one, other) = (line("A Get, A Query, B Get"), line("A Query, A Get, B Get"));
    assert_eq!(calls(&one), calls(&other));
    assert_eq!(calls(&one).1, ["A Get", "A Query", "B Get"]);
    for different in [
        "A Get, A Query",
        "A Get, A Query, B Get, B Get",
        "A Get, A Query, B Put",
    ] {
        assert_ne!(calls(&one), calls(&line(different)), "{different}");
    }
    assert_ne!(calls(&one), calls(&one.replace("the top", "a folder")));
}
