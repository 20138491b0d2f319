//! Lists of what is in folders, and of what is found.

use crate::terminal::{Terminal, documents, text};
use serde_json::{Value, json};

fn node(id: &str, name: &str, size: Option<u64>) -> Value {
    let kind = if size.is_some() { "file" } else { "folder" };
    json!({
        "id": id, "kind": kind, "name": name, "size": size, "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-21T11:30:00Z",
    })
}

fn page(items: &[Value], next: Option<&str>) -> Value {
    json!({ "items": items, "next_cursor": next })
}

/// `/a` with two files and `b`, in which is `c` with one file more; `d` is gone when somebody looks.
fn a_tree() -> Terminal {
    let a = node("fa", "a", None);
    let inside = [
        node("fb", "b", None),
        node("fd", "d", None),
        node("1", "one.txt", Some(1024)),
        node("2", "two\u{1b}[31m", Some(5)),
    ];
    let gone = json!({ "code": "not_found", "status": 404, "message": "there is no such file or folder" });
    Terminal::new(vec![
        ("get /v1/files?name=a", 200, page(&[a], None)),
        ("get /v1/files?parent=fa&limit=1000", 200, page(&inside, None)),
        (
            "get /v1/files?parent=fb&limit=1000",
            200,
            page(&[node("fc", "c", None)], None),
        ),
        (
            "get /v1/files?parent=fc&limit=1000",
            200,
            page(&[node("3", "three.txt", Some(2048))], None),
        ),
        ("get /v1/files?parent=fd&limit=1000", 404, gone),
    ])
}

fn lines(output: &std::process::Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_long_list_has_kinds_and_ids() {
    assert_eq!(
        lines(&a_tree().run(&["ls", "-l", "a"])),
        [
            "KIND    SIZE     MODIFIED (UTC)    ID  NAME",
            "folder  -        2026-11-21 11:30  fb  b/",
            "folder  -        2026-11-21 11:30  fd  d/",
            "file    1.0 KiB  2026-11-21 11:30  1   one.txt",
            "file    5 B      2026-11-21 11:30  2   two\u{fffd}[31m",
        ]
    );
}

#[test]
fn a_recursive_list_goes_through_all_folders() {
    let terminal = a_tree();
    let listed = lines(&terminal.run(&["ls", "-R", "a"]));
    let headed: Vec<_> = listed.iter().filter(|line| line.ends_with(':')).collect();
    // What is gone meanwhile is not there.
    assert_eq!(headed, ["a:", "a/b:", "a/b/c:"]);
    let at = |text: &str| listed.iter().position(|line| line == text).unwrap();
    assert_eq!(listed[at("a/b:") - 1], "");
    assert_eq!(
        listed[at("a/b/c:") + 1..],
        [
            "SIZE     MODIFIED (UTC)    NAME",
            "2.0 KiB  2026-11-21 11:30  three.txt"
        ]
    );
    let shown = documents(&terminal.run(&["ls", "--json", "--recursive", "a"]));
    let paths: Vec<_> = shown.iter().map(|folder| folder["path"].clone()).collect();
    assert_eq!(paths, ["a", "a/b", "a/b/c"]);
    assert_eq!(shown[2]["items"][0]["name"], "three.txt");
}

#[test]
fn how_much_is_in_folders() {
    let terminal = a_tree();
    assert_eq!(
        lines(&terminal.run(&["du", "a"])),
        [
            "SIZE     FILES  FOLDERS  PATH",
            "2.0 KiB  1      1        a/b",
            "0 B      0      0        a/d",
            "3.0 KiB  3      3        a",
        ]
    );
    let shown = documents(&terminal.run(&["du", "a", "--json"]));
    let b = json!({ "path": "a/b", "bytes": 2048, "files": 1, "folders": 1 });
    assert_eq!(
        (&shown[0]["bytes"], &shown[0]["files"], &shown[0]["folders"]),
        (&json!(3077), &json!(3), &json!(3))
    );
    assert_eq!(shown[0]["items"][0], b);
}

/// The first page is empty, and the last one has something.
#[test]
fn what_is_found_is_printed_page_by_page() {
    let found = |id: &str, size, path: &str| json!({ "node": node(id, "x", size), "path": path });
    let terminal = Terminal::new(vec![
        ("get /v1/search?q=may+pdf&limit=1000", 200, page(&[], Some("#a"))),
        (
            "get /v1/search?q=may+pdf&cursor=%23a&limit=1000",
            200,
            page(&[found("1", Some(1), "/a/may\u{1b}.pdf")], Some("#b")),
        ),
        (
            "get /v1/search?q=may+pdf&cursor=%23b&limit=1000",
            200,
            page(&[found("2", None, "/May.pdf")], None),
        ),
        ("get /v1/files?name=a", 200, page(&[node("fa", "a", None)], None)),
        ("get /v1/search?q=may&under=fa&limit=1000", 200, page(&[], None)),
    ]);
    let output = terminal.run(&["find", "May", "pdf"]);
    assert_eq!(lines(&output), ["a/may\u{fffd}.pdf", "May.pdf/"]);
    let shown = documents(&terminal.run(&["find", "May", "pdf", "--json"]));
    assert_eq!(shown[0]["items"][1]["path"], "/May.pdf");
    let output = terminal.run(&["find", "May", "--under", "/a"]);
    assert_eq!(lines(&output), [""; 0]);
    assert!(text(&output.stderr).contains("nothing is found"));
    assert_eq!(terminal.run(&["find"]).status.code(), Some(2));
}
