//! What each function asks of AWS, as `docs/remote-calls.md` says. The page cannot lie: this test compares.
//!
//! With `LONGSHORE_WRITE_DOCS=1` it writes the tables instead.

#![allow(
    clippy::disallowed_methods,
    reason = "a variable has the document written again"
)]
#![allow(clippy::expect_used, reason = "a test stops where it fails, and says so")]

mod requests;
mod table;
mod triggers;

use simulation::cloud::Latency;
use simulation::world::{World, run_with};
use std::collections::BTreeSet;
use std::path::Path;
use table::{EACH_THE_SAME, Table};

const BEGIN: &str = "<!-- Recorded by crates/simulation/tests/remote_calls. -->\n\n";

async fn recorded(world: &World) -> String {
    world.cloud.set_latency(Latency::Assumed(EACH_THE_SAME));
    world.set_targets(&["near"], &[]);
    let _ = world.invoke("sweep", serde_json::json!({})).await;
    let mut table = Table::new(world);
    table.all_requests().await;
    table.all_triggers().await;
    let functions = functions::ALL.iter().map(|(name, _)| (*name).to_owned());
    let functions: BTreeSet<_> = functions.collect();
    let missing: Vec<_> = functions.difference(table.seen()).collect();
    assert!(
        missing.is_empty(),
        "{missing:?} have no line: crates/simulation/tests/remote_calls/requests.rs calls endpoints, triggers.rs the others"
    );
    table.text()
}

#[test]
fn the_documented_remote_calls_are_the_real_ones() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/remote-calls.md");
    let page = std::fs::read_to_string(&path).expect("docs/remote-calls.md");
    let (before, documented) = page.split_once(BEGIN).expect("the page has its tables");
    let recorded = run_with(3, &[], recorded);
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{recorded}")).expect("written");
        return;
    }
    for (documented, recorded) in documented.lines().zip(recorded.lines()) {
        assert_eq!(
            documented, recorded,
            "meant? LONGSHORE_WRITE_DOCS=1 cargo test -p simulation --test remote_calls"
        );
    }
    assert_eq!(documented.lines().count(), recorded.lines().count());
}
