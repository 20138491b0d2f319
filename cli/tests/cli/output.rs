//! What is written, and what happens when it cannot be.

use crate::terminal::{Terminal, documents, signal, text};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::process::Output;
use std::time::Duration;

fn files(names: &[&str]) -> (&'static str, u16, Value) {
    let file = |name: &&str| {
        json!({
            "id": "f", "kind": "file", "name": name, "size": 1, "created_at": "2026-11-20T10:00:00Z",
        })
    };
    let items: Vec<_> = names.iter().map(file).collect();
    (
        "get /v1/files?limit=1000",
        200,
        json!({ "items": items, "next_cursor": null }),
    )
}

fn account(username: &str) -> (&'static str, u16, Value) {
    let account = json!({
        "id": "a", "username": username, "quota_bytes": 1, "used_bytes": 0, "created_at": "2026-11-20T10:00:00Z",
    });
    ("get /v1/account", 200, account)
}

fn new_token() -> (&'static str, u16, Value) {
    let token = json!({
        "id": "tok1", "name": "ci", "scopes": ["read"], "created_at": "2026-11-20T10:00:00Z",
        "expires_at": "2027-01-20T10:00:00Z", "token": "lsp_s3cr3t",
    });
    ("post /v1/tokens", 201, token)
}

/// What an account and its trash hold, in sizes that people read; a folder that is not counted says so.
#[test]
fn what_is_held_is_told_by_kind() {
    let (_, _, mut ann) = account("ann");
    ann["quota_bytes"] = json!(10_737_418_240_u64);
    ann["used_bytes"] = json!(1_610_612_736);
    ann["used"] = json!({ "files": 1_073_741_824, "versions": 0, "trash": 536_870_000, "open_uploads": 912 });
    let trashed = |name: &str, kind: &str, size: Value, bytes: Value| {
        let at = "2026-11-20T10:00:00Z";
        let node = json!({
            "id": name, "kind": kind, "name": name, "parent": null, "size": size, "content_type": null,
            "content_id": null, "version": 2, "created_at": at, "updated_at": at, "trashed_at": at,
        });
        json!({ "node": node, "path": format!("/{name}"), "trashed_at": at, "expires_at": at, "bytes": bytes, "files": null })
    };
    let trash = json!({ "next_cursor": null, "items": [
        trashed("new", "folder", json!(null), json!(null)),
        trashed("old", "folder", json!(null), json!(1_610_612_736)),
        trashed("file", "file", json!(912), json!(912)),
    ] });
    let terminal = Terminal::new(vec![
        ("get /v1/account", 200, ann),
        ("get /v1/trash?limit=100", 200, trash),
    ]);
    let lines = |command: &[&str]| -> Vec<String> {
        let output = terminal.run(command);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect()
    };
    let whoami = lines(&["whoami"]);
    assert!(whoami[0].ends_with(": 1.5 GiB of 10.0 GiB used"), "{whoami:?}");
    assert_eq!(
        whoami[1..],
        [
            "  files               1.0 GiB",
            "  versions                0 B",
            "  trash             512.0 MiB",
            "  open uploads          912 B"
        ]
    );
    let trash = lines(&["trash", "ls"]);
    for (line, size) in trash[1..].iter().zip(["counting", "1.5 GiB", "912 B"]) {
        assert!(line.contains(size), "{trash:?}");
    }
}

/// With a standard output that has no room.
fn to_full(terminal: &Terminal, arguments: &[&str]) -> Output {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    terminal.command(arguments).stdout(full).output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let terminal = Terminal::new(vec![files(&["a", "b"]), account("ann")]);
    for arguments in [
        &["ls"][..],
        &["ls", "--json"],
        &["whoami"],
        &["whoami", "--json"],
        &["--help"],
        &["ls", "--help"],
        &["--version"],
    ] {
        let output = to_full(&terminal, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("cannot write to standard output: No space"),
            "{arguments:?}: {said}"
        );
    }
    // What is no result is said elsewhere.
    assert_eq!(to_full(&terminal, &["fly"]).status.code(), Some(2));
    let terminal = Terminal::new(vec![files(&[])]);
    assert_eq!(to_full(&terminal, &["ls"]).status.code(), Some(0));
}

/// It is shown once: the user who asked for it has to know that nobody has it.
#[cfg(target_os = "linux")]
#[test]
fn a_token_that_could_not_be_shown_is_named() {
    let terminal = Terminal::new(vec![new_token()]);
    let create = ["token", "create", "ci", "--scope", "read"];
    for arguments in [&create[..], &[&create[..], &["--json"]].concat()] {
        let output = to_full(&terminal, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("could not be shown (No space") && said.contains("tok1"),
            "{said}"
        );
        assert!(said.contains("longshore token rm tok1"), "{said}");
        assert!(!said.contains("lsp_s3cr3t"), "{said}");
    }
    let output = terminal.shell("longshore token create ci --scope read | true; exit ${PIPESTATUS[0]}");
    // It is lost if it was not in the pipe before that was closed.
    assert!(matches!(output.status.code(), Some(0 | 1)));
    let output = terminal.run(&create);
    assert_eq!(text(&output.stdout), "lsp_s3cr3t\n");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let names: Vec<String> = (0..5000).map(|number| format!("{number:0200}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let terminal = Terminal::new(vec![files(&names)]);
    for line in [
        "longshore ls | head -n 1; exit ${PIPESTATUS[0]}",
        "longshore --json ls | head -c 10; exit ${PIPESTATUS[0]}",
        "longshore --help | head -n 1; exit ${PIPESTATUS[0]}",
    ] {
        let output = terminal.shell(line);
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), String::new()),
            "{line}"
        );
    }
}

/// Names and messages can be made by anybody.
#[test]
fn nothing_that_a_server_says_plays_tricks_on_a_terminal() {
    let evil = "e\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\nlongshore: done";
    let problem = json!({ "code": "forbidden", "status": 403, "message": evil });
    let (call, status, mut token) = new_token();
    token["name"] = evil.into();
    token["token"] = format!("lsp_{evil}").into();
    let terminal = Terminal::new(vec![
        account(evil),
        files(&[evil]),
        (call, status, token),
        ("get /v1/targets", 403, problem),
    ]);
    for arguments in [
        &["whoami"][..],
        &["ls"],
        &["token", "create", "ci", "--scope", "read"],
        &["replicas", "status"],
        &["status", "f\u{1b}"],
    ] {
        for json in [false, true] {
            let mut all = arguments.to_vec();
            all.extend(json.then_some("--json"));
            let output = terminal.run(&all);
            let said = text(&output.stdout) + &text(&output.stderr);
            let tricks = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!said.is_empty() && !said.contains(tricks), "{all:?}: {said:?}");
            assert!(!said.contains("\nlongshore: done"), "{all:?}: {said:?}");
        }
    }
    let [whoami] = documents(&terminal.run(&["--json", "whoami"]))
        .try_into()
        .unwrap();
    assert_eq!(whoami["account"]["username"], evil, "in JSON it is what it is");
}

/// Those that the program notices. It inherits which are ignored: these tests may run under `nohup`.
fn signals() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map_or(1, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    let mut names = vec!["INT", "TERM"];
    names.extend((mask & 1 == 0).then_some("HUP"));
    names
}

/// The hint repeats the command, and a name need not be text.
#[test]
fn every_way_to_be_asked_to_end_says_how_to_go_on() {
    for name in signals() {
        let terminal = Terminal::with_file(b"bytes");
        terminal.delay(Duration::from_secs(2));
        let output = OsStr::from_bytes(b"caf\xe9");
        let arguments = [
            OsStr::new("download"),
            OsStr::new("f.bin"),
            OsStr::new("-o"),
            output,
        ];
        let program = terminal.command(&arguments).spawn().unwrap();
        terminal.wait_for("get /v1/files?name=f.bin");
        signal(&program, name);
        let output = program.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{name}: {said}");
        assert!(said.contains("download f.bin -o $'caf\\xe9'"), "{name}: {said}");
    }
}

/// A client that comes with the old refresh token again is taken for a thief.
#[test]
fn an_exchange_of_tokens_is_finished_before_the_end() {
    for name in signals() {
        let tokens = json!({
            "access_token": "n3w", "expires_in": 900, "refresh_token": "n3xt", "refresh_expires_at": "2099-01-01T00:00:00Z",
        });
        let terminal = Terminal::new(vec![("post /v1/sessions/refresh", 200, tokens), account("ann")]);
        terminal.sign_in("ann", "2020-01-01T00:00:00Z");
        terminal.delay(Duration::from_millis(300));
        let program = terminal.command(&["whoami"]).spawn().unwrap();
        terminal.wait_for("post /v1/sessions/refresh");
        signal(&program, name);
        let output = program.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}");
        let kept: Value = serde_json::from_slice(&std::fs::read(terminal.session_file()).unwrap()).unwrap();
        assert_eq!(kept["tokens"]["refresh"], "n3xt", "{name}");
    }
}

/// `nohup` has hang-ups ignored, and so it stays.
#[cfg(target_os = "linux")]
#[test]
fn what_was_ignored_from_the_start_stays_ignored() {
    let terminal = Terminal::new(vec![account("ann")]);
    terminal.delay(Duration::from_millis(500));
    let output = terminal.shell("trap '' HUP; longshore whoami & sleep 0.2; kill -HUP $!; wait $!");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("ann at"));
}
