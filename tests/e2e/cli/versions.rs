//! What files had before, from the command line.

use super::signed_up;
use crate::harness::bytes::fresh;
use serde_json::{Value, json};

#[test]
fn versions_are_listed_downloaded_restored_kept_and_removed() {
    let (terminal, _) = signed_up();
    let contents = [fresh(1000), fresh(500), fresh(2000)];
    for content in &contents {
        std::fs::write(terminal.path("a.txt"), content).unwrap();
        terminal.json(&["upload", "a.txt", "--to", "f", "--on-conflict", "replace"]);
    }
    let listed = || terminal.json(&["versions", "ls", "f/a.txt"])["items"].clone();
    let numbers = || -> Vec<u64> {
        let there = listed();
        let there = there.as_array().unwrap().iter();
        there.map(|version| version["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(), [3, 2, 1]);
    let table = terminal.run(&["versions", "ls", "f/a.txt"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("NUMBER") && table.contains("current"), "{table}");

    for (number, content) in [("1", &contents[0]), ("3", &contents[2])] {
        let done = terminal.json(&["versions", "download", "f/a.txt", number, "-o", "earlier"]);
        assert_eq!(done["size"], content.len());
        assert_eq!(std::fs::read(terminal.path("earlier")).unwrap(), **content);
        std::fs::remove_file(terminal.path("earlier")).unwrap();
    }
    let restored = terminal.json(&["versions", "restore", "f/a.txt", "1"]);
    assert_eq!(restored["restored"]["size"], 1000);
    assert_eq!(numbers(), [4, 3, 2]);
    let kept = terminal.json(&["versions", "keep", "f/a.txt", "2"]);
    assert_eq!(kept["version"]["kept"], true);
    let freed = terminal.json(&["versions", "keep", "--no-longer", "f/a.txt", "2"]);
    assert!(freed["version"]["expires_at"].is_string(), "{freed}");

    // Each of several has its own result.
    let failed = terminal.fails(1, &["versions", "rm", "f/a.txt", "2", "7", "4"]);
    assert_eq!(failed["message"], "removing: 2 of 3 failed");
    assert_eq!(numbers(), [4, 3]);
    let failed = terminal.fails(4, &["versions", "restore", "f/a.txt", "1"]);
    assert_eq!(failed["message"], "'f/a.txt' has no version 1");
    let failed = terminal.fails(2, &["versions", "keep", "f/a.txt", "4"]);
    assert_eq!(failed["message"], "version 4 is what 'f/a.txt' has now");
    terminal.fails(2, &["versions", "ls", "f"]);
    let used: Value = terminal.json(&["whoami"])["account"]["used_bytes"].clone();
    assert_eq!(used, json!(3000));
}
