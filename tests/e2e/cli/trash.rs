//! What is deleted from the command line, and comes back.

use super::signed_up;
use crate::harness::bytes::fresh;
use serde_json::json;

#[test]
fn files_and_folders_go_to_the_trash_and_come_back() {
    let (terminal, _) = signed_up();
    for (name, size) in [("a.txt", 1000), ("b.txt", 500)] {
        std::fs::write(terminal.path(name), fresh(size)).unwrap();
        terminal.json(&["upload", name, "--to", "photos/2026"]);
    }
    let used = || terminal.json(&["whoami"])["account"]["used_bytes"].clone();
    let paths = || -> Vec<String> {
        let listed = terminal.json(&["trash", "ls"]);
        let items = listed["items"].as_array().unwrap().iter();
        items
            .map(|item| item["path"].as_str().unwrap_or("-").to_owned())
            .collect()
    };
    terminal.json(&["rm", "photos/2026/a.txt"]);
    terminal.json(&["rm", "photos"]);
    assert_eq!(paths(), ["/photos", "-"]);
    assert_eq!(used(), 1500);

    let failed = terminal.fails(4, &["trash", "restore", "photos/2026/a.txt"]);
    assert_eq!(failed["message"], "there is no 'photos/2026/a.txt' in the trash");
    let restored = terminal.json(&["trash", "restore", "photos"]);
    assert_eq!(restored["restored"]["name"], "photos");
    assert_eq!(paths(), ["/photos/2026/a.txt"]);
    let restored = terminal.json(&["trash", "restore", "--to", "/", "photos/2026/a.txt"]);
    assert_eq!(restored["restored"]["parent"], json!(null));
    assert_eq!(terminal.json(&["ls", "photos/2026"])["items"][0]["name"], "b.txt");

    terminal.json(&["rm", "a.txt"]);
    terminal.json(&["trash", "rm", "a.txt"]);
    assert_eq!((paths().len(), used()), (0, json!(500)));
    terminal.json(&["rm", "photos"]);
    terminal.fails(2, &["trash", "empty"]);
    assert_eq!(paths().len(), 1);
    terminal.json(&["trash", "empty", "--yes"]);
    assert_eq!(paths().len(), 0);
    terminal.json(&["mkdir", "empty"]);
    terminal.json(&["rm", "--permanently", "empty"]);
    assert_eq!(paths().len(), 0);
}
