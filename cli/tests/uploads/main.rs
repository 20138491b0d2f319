//! `longshore upload`, `uploads` and `rm` as a program, against an API and a store in this process.

#![allow(clippy::disallowed_methods, reason = "tests run in real time")]
#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod terminal;

use serde_json::{Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Output;
use terminal::Terminal;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What went wrong, one line each, and the exit code.
fn told(output: &Output) -> (Option<i32>, Vec<String>) {
    let said = text(&output.stderr);
    let lines = said.lines().filter_map(|line| line.strip_prefix("longshore: "));
    (output.status.code(), lines.map(str::to_owned).collect())
}

#[test]
fn good_files_go_and_each_bad_one_is_named_with_its_reason() {
    let terminal = Terminal::new();
    terminal.write(&[b"ok.txt", b"caf\xe9", b"a\\b", b"subfolder/x", b"last.txt"]);
    std::os::unix::fs::symlink("nowhere", terminal.path(b"dangling-link")).unwrap();
    let arguments: [&[u8]; 7] = [
        b"upload",
        b"ok.txt",
        b"caf\xe9",
        b"a\\b",
        b"subfolder",
        b"dangling-link",
        b"last.txt",
    ];
    let output = terminal.run(&arguments.map(OsStr::from_bytes));
    let (exit, lines) = told(&output);
    assert_eq!(exit, Some(1), "for different reasons: {lines:?}");
    assert_eq!(terminal.stored(), ["last.txt", "ok.txt"]);
    let expected = [
        ("$'caf\\xe9'", "not UTF-8"),
        ("a\\b", "backslash"),
        ("subfolder", "is a folder"),
        ("dangling-link", "symbolic link to nowhere, which is not there"),
        ("not all files were uploaded", "4 of 6 failed"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, (about, reason)) in lines.iter().zip(expected) {
        assert!(line.starts_with(about) && line.contains(reason), "{line}");
    }
}

#[test]
fn nothing_is_made_over_there_for_nothing() {
    let terminal = Terminal::new();
    let output = terminal.run(&["upload", "mistyped", "--to", "new"]);
    let (exit, lines) = told(&output);
    assert_eq!((exit, lines.len()), (Some(4), 1), "{lines:?}");
    assert!(terminal.world.lock().unwrap().asked.is_empty());
}

#[test]
fn names_that_are_the_same_over_there_are_refused_before_a_byte_is_sent() {
    let terminal = Terminal::new();
    let names: [&[u8]; 5] = [
        "caf\u{e9}".as_bytes(),
        "cafe\u{301}".as_bytes(),
        b"a/x",
        b"b/x",
        b"good",
    ];
    terminal.write(&names);
    let arguments = [
        &[b"upload".as_slice(), b"--on-conflict", b"replace"],
        names.as_slice(),
    ]
    .concat();
    let arguments: Vec<_> = arguments.into_iter().map(OsStr::from_bytes).collect();
    let (exit, lines) = told(&terminal.run(&arguments));
    assert_eq!((exit, lines.len()), (Some(5), 5), "{lines:?}");
    assert!(
        lines[2].starts_with("a/x: ") && lines[2].contains("b/x"),
        "{lines:?}"
    );
    assert_eq!(terminal.stored(), ["good"]);
    let world = terminal.world.lock().unwrap();
    let begun = world.asked.iter().filter(|asked| *asked == "POST /v1/uploads");
    assert_eq!(begun.count(), 1, "the others have sent nothing");
}

#[test]
fn each_failure_is_told_once_and_what_ends_the_command_too() {
    let terminal = Terminal::new();
    terminal.write(&[b"a", b"b", b"c", b"d"]);
    terminal.refuse("a", 409, "name_taken");
    terminal.refuse("b", 409, "name_taken");
    let (exit, lines) = told(&terminal.run(&["upload", "a", "b", "c"]));
    assert_eq!(exit, Some(5), "what all share");
    assert_eq!(
        lines,
        [
            "a: about name_taken",
            "b: about name_taken",
            "not all files were uploaded: 2 of 3 failed"
        ]
    );
    // A file that the API refuses, and a session that has ended.
    terminal.refuse("b", 403, "expired");
    terminal.refuse("c", 401, "unauthorized");
    terminal.refuse("POST /v1/sessions/refresh", 401, "unauthorized");
    let (exit, lines) = told(&terminal.run(&["upload", "a", "b", "c", "d"]));
    assert_eq!(exit, Some(3), "what ended it");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[..2], ["a: about name_taken", "b: about expired"]);
    assert!(lines[2].starts_with("c: "), "{lines:?}");
    assert_eq!(
        lines[3],
        "not all files were uploaded: 3 of 4 failed, and 1 after that were not tried"
    );
}

#[test]
fn many_files_ask_once_what_is_unfinished() {
    let terminal = Terminal::new();
    let names: Vec<String> = (0..12).map(|number| format!("file-{number}")).collect();
    let bytes: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    terminal.write(&bytes);
    let arguments = [vec!["upload".to_owned()], names].concat();
    let output = terminal.run(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        (terminal.stored().len(), terminal.count("GET /v1/uploads")),
        (12, 1)
    );
}

#[test]
fn a_portal_is_told_and_not_taken_for_the_store() {
    let terminal = Terminal::new();
    terminal.write(&[b"a"]);
    terminal.world.lock().unwrap().portal = true;
    let output = terminal.run(&["upload", "a"]);
    let (exit, lines) = told(&output);
    assert_eq!(exit, Some(7), "{lines:?}");
    assert!(
        lines[0].contains("403 Forbidden, text/html, by \"hotel\", at 127.0.0.1"),
        "{lines:?}"
    );
    assert!(
        text(&output.stderr).contains("sign in there"),
        "and not that the clock is wrong"
    );
}

#[test]
fn unfinished_uploads_are_listed_wherever_they_were_going() {
    let terminal = Terminal::new();
    assert_eq!(
        text(&terminal.run(&["uploads"]).stderr),
        "there are no unfinished uploads\n"
    );
    terminal.add_folder("d1", "photos", None);
    terminal.add_folder("d2", "2026", Some("d1"));
    terminal.add_upload("u1", "top", None);
    terminal.add_upload("u2", "deep", Some("d2"));
    terminal.add_upload("u3", "lost", Some("gone"));
    let output = terminal.run(&["uploads"]);
    assert!(output.status.success());
    let listed = text(&output.stdout);
    let rows: Vec<&str> = listed.lines().collect();
    assert_eq!(rows.len(), 4, "{listed}");
    let ends = [
        "PATH",
        "  top",
        "  photos/2026/deep",
        "  lost (its folder is gone)",
    ];
    for (row, end) in rows.iter().zip(ends) {
        assert!(row.ends_with(end), "{row}");
    }
    assert!(
        rows[1].starts_with("u1  19.1 MiB  1 of 3 ") && rows[1].contains("2026-11-27 10:00"),
        "{listed}"
    );
    assert!(text(&output.stderr).contains("longshore uploads abort"));
    let document: Value = serde_json::from_slice(&terminal.run(&["uploads", "--json"]).stdout).unwrap();
    let items = document["items"].as_array().unwrap();
    let places: Vec<_> = items
        .iter()
        .map(|item| (&item["path"], &item["folder_is_gone"]))
        .collect();
    let (top, deep) = (json!("top"), json!("photos/2026/deep"));
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(places, [(&top, &no), (&deep, &no), (&Value::Null, &yes)]);
    assert_eq!(
        (&items[2]["upload"]["id"], &items[2]["parts_received"]),
        (&json!("u3"), &json!(1))
    );
}

#[test]
fn an_answer_that_does_not_say_that_it_is_done_is_no_success() {
    let terminal = Terminal::new();
    terminal.add_upload("u1", "file", None);
    for status in [200, 308] {
        terminal.refuse("DELETE /v1/uploads/u1", status, "moved");
        let output = terminal.run(&["uploads", "abort", "u1"]);
        let (exit, lines) = told(&output);
        assert_eq!((exit, text(&output.stdout).as_str()), (Some(1), ""), "{lines:?}");
    }
}

#[test]
fn uploads_are_given_up_each_with_its_own_result() {
    let terminal = Terminal::new();
    for id in ["u1", "u2", "u3", "u4"] {
        terminal.add_upload(id, "file", None);
    }
    terminal.refuse("DELETE /v1/uploads/u3", 409, "upload_not_open");
    let output = terminal.run(&["uploads", "abort", "u1", "nope", "u3", "u2"]);
    let (exit, lines) = told(&output);
    assert_eq!(text(&output.stdout), "gave up u1\ngave up u2\n");
    assert_eq!((exit, lines.len()), (Some(1), 3), "{lines:?}");
    assert_eq!(lines[..2], ["nope: about not_found", "u3: about upload_not_open"]);
    terminal.world.lock().unwrap().refused.clear();
    let output = terminal.run(&["uploads", "abort", "--all"]);
    assert_eq!(
        (text(&output.stdout).as_str(), output.status.code()),
        ("gave up u3\ngave up u4\n", Some(0))
    );
    assert!(terminal.world.lock().unwrap().uploads.is_empty());
    for arguments in [vec!["uploads", "abort"], vec!["uploads", "abort", "u1", "--all"]] {
        assert_eq!(terminal.run(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn removing_a_folder_says_what_was_going_into_it() {
    let terminal = Terminal::new();
    terminal.add_folder("d1", "photos", None);
    terminal.add_upload("u1", "big", Some("d1"));
    let output = terminal.run(&["rm", "photos"]);
    assert_eq!(
        (text(&output.stdout).as_str(), output.status.code()),
        ("removed photos\n", Some(0))
    );
    let said = text(&output.stderr);
    assert!(
        said.contains("going into it: 1") && said.contains("longshore uploads"),
        "{said}"
    );
}
