//! The sixteen holes of the server that Longshore descends from, each by its name, and each shut.
//!
//! Most have tests of their own elsewhere that go further; here is what an attacker, or bad luck, would try first.

mod losses;
mod names;
mod secrets;
mod strangers;

use crate::harness::stack::root;
use std::path::Path;

/// Shows every text below a folder.
fn sources(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What only tests use may well be called a key.
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, look);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            look(&path, &text);
        }
    }
}

/// The list is whole: sixteen, each once.
#[test]
fn every_hole_is_here() {
    let mut source = String::new();
    sources(&root().join("tests/e2e/holes"), &mut |_, text| {
        source.push_str(text);
    });
    for number in 1..=16 {
        let name = format!("async fn hole_{number:02}_");
        assert_eq!(source.matches(&name).count(), 1, "{name}");
    }
}
