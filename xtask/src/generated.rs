//! What is made from the registry of endpoints in `crates/wire`, and from the template, is what is checked in.
//!
//! With `LONGSHORE_WRITE_DOCS=1` these tests write it instead: `LONGSHORE_WRITE_DOCS=1 cargo test -p xtask generated`.

use crate::events::agreement;
use crate::workspace;
use std::fmt::Write as _;
use std::fs;

const BEGIN: &str = "<!-- Made from infra/template.yaml by xtask/src/generated.rs. -->\n";
const END: &str = "<!-- The end of it. -->\n";

/// Compares a file with what it should be, or writes it.
fn hold(place: &str, made: &str) {
    let path = workspace::root().join(place);
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        kept == made,
        "{place} is not what crates/wire and infra/template.yaml say. Write it anew: LONGSHORE_WRITE_DOCS=1 cargo test -p xtask generated"
    );
}

#[test]
fn the_openapi_document() {
    let made = serde_json::to_string_pretty(&wire::document::document()).unwrap();
    hold("docs/openapi.json", &(made + "\n"));
}

#[test]
fn the_table_of_functions_without_an_endpoint() {
    let place = "docs/api.md";
    let page = fs::read_to_string(workspace::root().join(place)).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let mut table = "\n| invoked by | function |\n|---|---|\n".to_owned();
    for (function, trigger) in agreement::template().0 {
        if let Some(trigger) = trigger.in_words() {
            writeln!(table, "| {trigger} | `{function}` |").unwrap();
        }
    }
    hold(place, &format!("{before}{BEGIN}{table}\n{END}{after}"));
}
