//! Names that are taken, and `--on-conflict`.

use super::signed_up;
use crate::harness::bytes::{PART, fresh};
use crate::harness::cli::Terminal;
use serde_json::{Value, json};

/// A user with a file, and another one of that name here. Returns what was uploaded and the bytes that are here now.
fn with_a_file() -> (Terminal, Value, Vec<u8>) {
    let (terminal, _) = signed_up();
    std::fs::write(terminal.path("a.txt"), fresh(1000)).unwrap();
    let uploaded = terminal.json(&["upload", "a.txt"]);
    let bytes = fresh(PART + 7).to_vec();
    std::fs::write(terminal.path("a.txt"), &bytes).unwrap();
    (terminal, uploaded["file"].clone(), bytes)
}

fn used(terminal: &Terminal) -> u64 {
    terminal.json(&["whoami"])["account"]["used_bytes"]
        .as_u64()
        .unwrap()
}

#[test]
fn the_other_file_is_left_alone_unless_somebody_says_otherwise() {
    let (terminal, there, _) = with_a_file();
    for arguments in [
        &["upload", "a.txt"][..],
        &["upload", "a.txt", "--on-conflict", "fail"],
    ] {
        assert_eq!(terminal.fails(5, arguments)["code"], "name_taken");
    }
    terminal.fails(2, &["upload", "a.txt", "--on-conflict", "ask"]);
    let status = terminal.json(&["status", "a.txt"]);
    assert_eq!(
        (&status["node"]["content_id"], &status["uploads"]),
        (&there["content_id"], &json!([]))
    );
    assert_eq!(used(&terminal), 1000);
}

#[test]
fn both_files_are_kept_under_two_names() {
    let (terminal, _, bytes) = with_a_file();
    let output = terminal.run(&["upload", "a.txt", "--on-conflict", "rename"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.starts_with("a (1).txt  8.0 MiB") && said.contains("renamed: there is another a.txt"),
        "{said}"
    );
    let again = terminal.json(&["upload", "a.txt", "--on-conflict", "rename"]);
    assert_eq!(
        (&again["path"], &again["file"]["name"], &again["how"]),
        (&json!("a (2).txt"), &json!("a (2).txt"), &json!("instant"))
    );
    terminal.json(&["download", "a (1).txt", "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    assert_eq!(used(&terminal), 1000 + 2 * bytes.len() as u64);
}

#[test]
fn a_replaced_file_stays_the_same_file() {
    let (terminal, there, bytes) = with_a_file();
    let replaced = terminal.json(&["upload", "a.txt", "--on-conflict", "replace"]);
    assert_eq!(
        (&replaced["path"], &replaced["file"]["id"], &replaced["how"]),
        (&json!("a.txt"), &there["id"], &json!("sent"))
    );
    assert_eq!(
        terminal.json(&["ls"])["items"].as_array().unwrap().len(),
        1,
        "there is no second one"
    );
    terminal.json(&["download", "a.txt", "-o", "copy"]);
    assert!(std::fs::read(terminal.path("copy")).unwrap() == bytes);
    assert_eq!(
        used(&terminal),
        1000 + bytes.len() as u64,
        "the old bytes are a version"
    );
}

#[test]
fn the_same_bytes_under_the_same_name_are_no_conflict() {
    let (terminal, _) = signed_up();
    std::fs::write(terminal.path("a"), fresh(1000)).unwrap();
    let file = terminal.json(&["upload", "a"])["file"].clone();
    for on_conflict in ["fail", "rename", "replace"] {
        let again = terminal.json(&["upload", "a", "--on-conflict", on_conflict]);
        assert_eq!(
            (&again["how"], &again["file"]["id"], &again["file"]["updated_at"]),
            (&json!("already_there"), &file["id"], &file["updated_at"]),
            "{on_conflict}"
        );
    }
    assert_eq!(used(&terminal), 1000);
}

#[test]
fn a_folder_is_never_replaced() {
    let (terminal, _) = signed_up();
    for name in ["a", "b"] {
        std::fs::write(terminal.path(name), fresh(1000)).unwrap();
    }
    terminal.json(&["upload", "b", "--to", "a"]);
    let error = terminal.fails(5, &["upload", "a", "--on-conflict", "replace"]);
    assert_eq!(error["code"], "name_taken");
    let renamed = terminal.json(&["upload", "a", "--on-conflict", "rename"]);
    assert_eq!(renamed["path"], "a (1)");
    assert_eq!(terminal.json(&["ls", "a"])["items"][0]["name"], "b");
}

#[test]
fn extensions_tell_what_a_file_is() {
    let (terminal, _) = signed_up();
    for (name, content_type) in [("notes.txt", json!("text/plain")), ("notes", Value::Null)] {
        std::fs::write(terminal.path(name), fresh(10)).unwrap();
        let uploaded = terminal.json(&["upload", name]);
        assert_eq!(uploaded["file"]["content_type"], content_type, "{name}");
    }
}
