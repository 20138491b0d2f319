//! The table of differences in the documentation is the one in the code.

use crate::differences::ALL;
use std::fs;
use std::path::Path;

/// What its rows begin with, and no others.
const BEGINS: [&str; 4] = ["| `s3::", "| `dynamodb::", "| `sqs::", "| `secrets::"];

#[test]
fn the_table_of_conformance_is_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/where-it-runs.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text
        .lines()
        .filter(|line| BEGINS.iter().any(|begin| line.starts_with(begin)));
    let documented: Vec<Vec<&str>> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            // What AWS documents is between them.
            [&cells[..1], &cells[2..]].concat()
        })
        .collect();
    let listed: Vec<Vec<String>> = ALL
        .iter()
        .map(|row| {
            let name = format!("`{}::{}`", row.service, row.scenario);
            let cells = row
                .instead
                .iter()
                .map(|text| if text.is_empty() { "the same" } else { text });
            [name].into_iter().chain(cells.map(str::to_owned)).collect()
        })
        .collect();
    assert_eq!(documented, listed);
}
