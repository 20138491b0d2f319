//! What files had before.

use crate::terminal::{Terminal, content_id, documents, text};
use serde_json::{Value, json};
use std::process::Output;

const AT: &str = "2026-11-20T10:00:00Z";
const FIRST: &[u8] = b"what it had at first";
const LAST: &[u8] = b"what it has";

fn file() -> Value {
    json!({
        "id": "f1", "kind": "file", "name": "f.bin", "parent": null, "size": LAST.len(), "content_id": content_id(LAST),
        "created_at": AT, "updated_at": AT,
    })
}

fn version(number: u64, bytes: &[u8]) -> Value {
    json!({
        "id": format!("f1.{number}"), "number": number, "current": false, "size": bytes.len(), "content_type": null,
        "content_id": content_id(bytes), "created_at": AT, "replaced_at": AT, "kept": false,
        "expires_at": "2026-12-20T10:00:00Z",
    })
}

/// The same, kept for good.
fn kept(number: u64) -> Value {
    let mut version = version(number, b"kept");
    version["kept"] = json!(true);
    version.as_object_mut().unwrap().remove("expires_at");
    version
}

fn current() -> Value {
    json!({
        "id": "f1.3", "number": 3, "current": true, "size": LAST.len(), "content_type": null,
        "content_id": content_id(LAST), "created_at": AT, "kept": false,
    })
}

/// An API with a file that has its third content, and a folder. The store has these bytes.
fn terminal(object: &[u8]) -> Terminal {
    let listed = |items: &[Value]| json!({ "items": items, "next_cursor": null });
    let folder = json!({
        "id": "d1", "kind": "folder", "name": "d", "parent": null, "created_at": AT, "updated_at": AT,
    });
    let gone = json!({ "code": "not_found", "status": 404, "message": "there is no such version" });
    let many = json!({ "code": "too_many_kept", "status": 409, "message": "50 versions are kept already" });
    let content = json!({ "location": "/store/f1" });
    let terminal = Terminal::new(vec![
        ("get /v1/files?name=f.bin", 200, listed(&[file()])),
        ("get /v1/files?name=d", 200, listed(&[folder])),
        (
            "get /v1/files/f1/versions",
            200,
            listed(&[current(), kept(2), version(1, FIRST)]),
        ),
        ("get /v1/files/f1/content?number=1", 307, content.clone()),
        ("get /v1/files/f1/content?number=3", 307, content),
        ("post /v1/versions/f1.1/restore", 200, file()),
        ("post /v1/versions/f1.3/restore", 200, file()),
        ("patch /v1/versions/f1.1", 409, many),
        ("patch /v1/versions/f1.2", 200, version(2, b"kept")),
        ("delete /v1/versions/f1.1", 204, Value::Null),
        ("delete /v1/versions/f1.2", 404, gone),
    ]);
    terminal.store(object);
    terminal
}

#[track_caller]
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What it says on standard error when it ends with this exit code.
#[track_caller]
fn fails(code: i32, output: &Output) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

#[test]
fn the_newest_is_listed_first() {
    let terminal = terminal(LAST);
    let table = said(&terminal.run(&["versions", "ls", "f.bin"]));
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        rows,
        [
            ["NUMBER", "SIZE", "FROM (UTC)", "KEPT UNTIL (UTC)"],
            ["3", "11 B", "2026-11-20 10:00", "current"],
            ["2", "4 B", "2026-11-20 10:00", "removed"],
            ["1", "20 B", "2026-11-20 10:00", "2026-12-20 10:00"],
        ]
    );
    let [listed] = documents(&terminal.run(&["versions", "ls", "f.bin", "--json"]))
        .try_into()
        .unwrap();
    let numbers: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["number"])
        .collect();
    assert_eq!(numbers, [&json!(3), &json!(2), &json!(1)]);
    assert!(fails(2, &terminal.run(&["versions", "ls", "d"])).contains("is a folder"));
    fails(4, &terminal.run(&["versions", "ls", "nothing"]));
}

/// Also of what the file has: that may be another one a moment later.
#[test]
fn a_version_is_downloaded_by_its_number() {
    for (number, bytes) in [("1", FIRST), ("3", LAST)] {
        let terminal = terminal(bytes);
        let output = terminal.run(&["versions", "download", "f.bin", number]);
        assert!(said(&output).ends_with("B, verified\n"));
        assert_eq!(std::fs::read(terminal.path("f.bin")).unwrap(), bytes);
        let asked = terminal.asked();
        assert!(
            asked.contains(&format!("get /v1/files/f1/content?number={number}")),
            "{asked:?}"
        );
        // It is there now, as other downloads would have it.
        fails(5, &terminal.run(&["versions", "download", "f.bin", number]));
    }
    let terminal = terminal(FIRST);
    let output = terminal.run(&["versions", "download", "f.bin", "1", "-o", "-"]);
    assert_eq!(said(&output).as_bytes(), FIRST);
}

#[test]
fn other_bytes_than_the_versions_never_get_the_name() {
    let terminal = terminal(&FIRST.to_ascii_uppercase());
    fails(
        8,
        &terminal.run(&["versions", "download", "f.bin", "1", "-o", "earlier"]),
    );
    assert_eq!(terminal.names(), [""; 0]);
}

#[test]
fn what_there_is_not_is_told_with_what_there_is() {
    for command in [&["restore"][..], &["download"], &["keep"], &["rm"]] {
        let terminal = terminal(LAST);
        let line = [&["versions"], command, &["f.bin", "7"]].concat();
        let told = fails(4, &terminal.run(&line));
        assert!(told.contains("'f.bin' has no version 7"), "{told}");
        assert!(told.contains("longshore versions ls f.bin"), "{told}");
        let changed = |call: &String| !call.starts_with("get ");
        assert!(!terminal.asked().iter().any(changed), "{:?}", terminal.asked());
        fails(
            2,
            &terminal.run(&[&["versions"], command, &["f.bin", "last"]].concat()),
        );
    }
}

#[test]
fn a_version_is_restored() {
    let terminal = terminal(LAST);
    let restored = said(&terminal.run(&["versions", "restore", "f.bin", "1"]));
    assert_eq!(restored, "restored version 1 of f.bin\n");
    let there = said(&terminal.run(&["versions", "restore", "f.bin", "3"]));
    assert_eq!(there, "f.bin has this content already\n");
    let [restored] = documents(&terminal.run(&["versions", "restore", "f.bin", "1", "--json"]))
        .try_into()
        .unwrap();
    assert_eq!(
        (&restored["path"], &restored["restored"]["id"]),
        (&json!("f.bin"), &json!("f1"))
    );
}

#[test]
fn a_version_is_kept_and_not_any_more() {
    let terminal = terminal(LAST);
    let freed = said(&terminal.run(&["versions", "keep", "f.bin", "2", "--no-longer"]));
    assert_eq!(freed, "version 2 of f.bin is kept until 2026-12-20 10:00 (UTC)\n");
    let told = fails(5, &terminal.run(&["versions", "keep", "f.bin", "1"]));
    assert!(
        told.contains("version 1 of f.bin") && told.contains("50 versions"),
        "{told}"
    );
    assert_eq!(
        terminal.bodies(),
        [json!({ "kept": false }), json!({ "kept": true })]
    );
    let told = fails(2, &terminal.run(&["versions", "keep", "f.bin", "3"]));
    assert!(told.contains("version 3 is what 'f.bin' has now"), "{told}");
}

/// Each has its own result, also one that somebody else removed meanwhile.
#[test]
fn several_versions_are_removed() {
    let terminal = terminal(LAST);
    let output = terminal.run(&["versions", "rm", "f.bin", "2", "1", "3"]);
    let told = fails(1, &output);
    assert_eq!(text(&output.stdout), "removed version 1 of f.bin permanently\n");
    assert!(told.contains("there is no such version"), "{told}");
    assert!(told.contains("removing: 2 of 3 failed"), "{told}");
    let removed = |call: &&String| call.starts_with("delete ");
    assert_eq!(terminal.asked().iter().filter(removed).count(), 2);
}
