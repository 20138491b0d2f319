//! The command line as people and scripts use it: a program, its output, its exit codes.

mod conflicts;
mod finding;
mod interrupted;
mod proofs;
mod sessions;
mod trash;
mod versions;

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::{MIB, PART, fresh};
use crate::harness::cli::Terminal;
use crate::harness::http::send;
use crate::harness::person::{content_id, new_username};
use crate::harness::stack::stack;
use bytes::Bytes;
use serde_json::{Value, json};

/// A new user. Returns the username, too.
fn signed_up() -> (Terminal, String) {
    let terminal = Terminal::new();
    let username = new_username();
    let account = terminal.json(&["signup", &username]);
    assert_eq!(account["account"]["username"], username);
    (terminal, username)
}

/// What is behind a URL.
#[tokio::main(flavor = "current_thread")]
async fn read(url: &str) -> Bytes {
    send("GET", url, &[], "").await.expect(200).body
}

#[test]
fn the_whole_tour() {
    let (terminal, username) = signed_up();
    let (small, large) = (fresh(1000), fresh(3 * PART + 17));
    std::fs::write(terminal.path("small.txt"), &small).unwrap();
    std::fs::write(terminal.path("große datei.bin"), &large).unwrap();

    let uploaded = terminal.json(&["upload", "small.txt", "--to", "/photos/2026"]);
    assert_eq!(
        (&uploaded["how"], &uploaded["path"]),
        (&json!("sent"), &json!("photos/2026/small.txt"))
    );
    let uploaded = terminal.json(&["upload", "große datei.bin"]);
    assert_eq!(
        (&uploaded["parts_sent"], &uploaded["parts_kept"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(uploaded["file"]["content_id"], content_id(&large).to_string());
    let again = terminal.json(&["upload", "große datei.bin"]);
    assert_eq!(
        (&again["how"], &again["file"]["id"]),
        (&json!("already_there"), &uploaded["file"]["id"])
    );
    let instant = terminal.json(&["upload", "große datei.bin", "--to", "copies"]);
    assert_eq!(
        (&instant["how"], &instant["parts_sent"]),
        (&json!("instant"), &json!(0))
    );

    let names = |listed: &Value| -> Vec<String> {
        let items = listed["items"].as_array().unwrap().iter();
        items
            .map(|node| node["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&terminal.json(&["ls"])),
        ["copies", "große datei.bin", "photos"]
    );
    assert_eq!(names(&terminal.json(&["ls", "photos"])), ["2026"]);
    assert_eq!(names(&terminal.json(&["ls", "/photos/2026/"])), ["small.txt"]);

    let status = terminal.json(&["status", "/große datei.bin"]);
    assert_eq!(status["node"]["id"], uploaded["file"]["id"]);
    let replicas = status["node"]["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), stack().targets.len());
    let whoami = terminal.json(&["whoami"]);
    assert_eq!(whoami["account"]["username"], username);
    assert_eq!(
        whoami["account"]["used_bytes"],
        (small.len() + 2 * large.len()) as u64
    );

    let downloaded = terminal.json(&["download", "große datei.bin", "-o", "copy.bin"]);
    assert_eq!(
        (&downloaded["parts_fetched"], &downloaded["parts_kept"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(std::fs::read(terminal.path("copy.bin")).unwrap(), large);
    std::fs::create_dir(terminal.path("folder")).unwrap();
    terminal.json(&["download", "photos/2026/small.txt", "-o", "folder"]);
    assert_eq!(std::fs::read(terminal.path("folder/small.txt")).unwrap(), small);
    let link = terminal.json(&["link", "große datei.bin"]);
    assert_eq!(link["content_id"], content_id(&large).to_string());
    assert_eq!(read(link["url"].as_str().unwrap()), large);

    let moved = terminal.json(&["mv", "photos/2026/small.txt", "/small.txt"]);
    assert_eq!(
        (&moved["path"], &moved["to"]),
        (&json!("photos/2026/small.txt"), &json!("small.txt"))
    );
    let moved = terminal.json(&["mv", "small.txt", "photos/2026/"]);
    assert_eq!(moved["to"], "photos/2026/small.txt");
    terminal.json(&["mv", "photos", "pictures"]);
    terminal.json(&["mkdir", "new"]);
    terminal.json(&["mkdir", "-p", "new/a/b", "new"]);
    assert_eq!(names(&terminal.json(&["ls", "new/a"])), ["b"]);
    assert_eq!(names(&terminal.json(&["ls", "pictures/2026"])), ["small.txt"]);
    terminal.json(&["mv", "pictures", "photos"]);

    for path in [
        "photos/2026/small.txt",
        "photos/2026",
        "photos",
        "copies/große datei.bin",
        "copies",
        "große datei.bin",
    ] {
        terminal.json(&["rm", "--permanently", path]);
    }
    assert!(terminal.run(&["rm", "new/a/b", "new"]).status.success());
    assert_eq!(names(&terminal.json(&["ls"])), [""; 0]);
    assert_eq!(terminal.json(&["whoami"])["account"]["used_bytes"], 0);
    assert_eq!(
        terminal.names(),
        ["copy.bin", "folder", "große datei.bin", "small.txt"],
        "nothing else is left here"
    );
}

#[test]
fn files_and_folders_are_copied() {
    let (terminal, _) = signed_up();
    let bytes = fresh(1000);
    std::fs::write(terminal.path("small.txt"), &bytes).unwrap();
    terminal.json(&["upload", "small.txt", "--to", "photos/2026"]);
    terminal.json(&["mkdir", "-p", "new/a/b"]);
    terminal.json(&["mkdir", "copies"]);
    let succeeds = |arguments: &[&str]| {
        let output = terminal.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    };
    let copied = terminal.json(&["cp", "photos/2026/small.txt", "new/a/"]);
    assert_eq!(
        (&copied["path"], &copied["to"]),
        (&json!("photos/2026/small.txt"), &json!("new/a/small.txt"))
    );
    succeeds(&["cp", "new/a/small.txt", "new/a/b/other.txt"]);
    let renamed = terminal.json(&[
        "cp",
        "--on-conflict",
        "rename",
        "new/a/small.txt",
        "new/a/b/other.txt",
    ]);
    assert_eq!(renamed["to"], "new/a/b/other (1).txt");
    terminal.json(&["rm", "--permanently", "new/a/b/other (1).txt"]);
    succeeds(&["cp", "-r", "new/a", "photos", "copies"]);
    let names = |path: &str| -> Vec<String> {
        let listed = terminal.json(&["ls", path]);
        let items = listed["items"].as_array().unwrap().iter();
        items
            .map(|node| node["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("copies/a"), ["b", "small.txt"]);
    assert_eq!(names("copies/a/b"), ["other.txt"]);
    assert_eq!(names("copies/photos/2026"), ["small.txt"]);

    // What is there fails, and nothing else; and does not fail where it is replaced.
    terminal.json(&["rm", "--permanently", "copies/a/b/other.txt"]);
    let failed = terminal.fails(5, &["cp", "-r", "new/a", "copies"]);
    assert_eq!(failed["message"], "copying new/a: 1 of 4 failed");
    assert_eq!(names("copies/a/b"), ["other.txt"]);
    succeeds(&["cp", "-r", "new/a", "copies", "--on-conflict", "replace"]);
    succeeds(&["cp", "-r", "new/a", "as it is called"]);
    assert_eq!(names("as it is called"), ["b", "small.txt"]);
    let used = terminal.json(&["whoami"])["account"]["used_bytes"].clone();
    assert_eq!(used, 8000);
    terminal.json(&["download", "copies/a/b/other.txt"]);
    assert_eq!(std::fs::read(terminal.path("other.txt")).unwrap(), bytes);
}

/// Each that fails is told, and the others are done.
#[test]
fn several_go_in_one_request() {
    let (terminal, _) = signed_up();
    for name in ["a", "b", "c", "d"] {
        std::fs::write(terminal.path(name), fresh(10)).unwrap();
    }
    terminal.run(&["upload", "a", "b", "c", "d"]);
    terminal.json(&["mkdir", "-p", "f/g"]);
    let run = |arguments: &[&str]| {
        let output = terminal.run(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let names = |path: &str| -> Vec<String> {
        let listed = terminal.json(&["ls", path]);
        let items = listed["items"].as_array().unwrap().iter();
        items
            .map(|node| node["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let (code, said, failures) = run(&["mv", "a", "missing", "b", "f", "a", "c", "f/"]);
    assert_eq!(said, "moved a to f/a\nmoved b to f/b\nmoved c to f/c\n");
    assert_eq!(code, Some(1), "{failures}");
    for failure in [
        "there is no 'missing'",
        "f: a folder cannot go into itself",
        "there is no 'a'",
        "moving: 3 of 6 failed",
    ] {
        assert!(failures.contains(failure), "{failure}: {failures}");
    }
    assert_eq!(
        (names("/"), names("f")),
        (
            vec!["d".to_owned(), "f".to_owned()],
            ["a", "b", "c", "g"].map(str::to_owned).to_vec()
        )
    );
    let failed = terminal.fails(4, &["mv", "f/a", "f/b", "nowhere/"]);
    assert_eq!(failed["message"], "there is no folder 'nowhere'");

    let (code, said, failures) = run(&["rm", "f/a", "d", "f/missing", "f", "f/b"]);
    assert_eq!(said, "removed f/a\nremoved d\nremoved f\n");
    assert_eq!(code, Some(4), "{failures}");
    assert!(failures.contains("removing: 2 of 5 failed"), "{failures}");
    let (code, said, failures) = run(&["trash", "restore", "d", "f/a", "f"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(4), "restored d\nrestored f\n"),
        "{failures}"
    );
    assert!(failures.contains("there is no 'f/a' in the trash"), "{failures}");
    assert_eq!(run(&["rm", "--permanently", "f/b", "f/c"]).0, Some(0));
    assert_eq!(names("f"), ["g"]);
    assert_eq!(run(&["rm", "d", "f"]).0, Some(0));
    let (code, said, _) = run(&["trash", "rm", "d", "f"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "removed d permanently\nremoved f permanently\n")
    );
}

#[test]
fn people_read_words_and_scripts_read_standard_output() {
    let (terminal, _) = signed_up();
    std::fs::write(terminal.path("a.txt"), fresh(2000)).unwrap();
    let said = |arguments: &[&str]| {
        let output = terminal.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(said(&["upload", "a.txt"]).starts_with("a.txt  2.0 KiB"));
    let listed = said(&["ls"]);
    assert!(listed.starts_with("SIZE") && listed.contains("a.txt"), "{listed}");
    let status = said(&["status", "a.txt"]);
    assert!(
        status.contains("a.txt: complete") && status.contains("content id"),
        "{status}"
    );
    assert!(said(&["download", "a.txt", "-o", "b.txt"]).contains("verified"));
    assert!(said(&["rm", "a.txt"]).contains("removed a.txt"));
    assert!(said(&["--help"]).contains("Exit codes"));
}

#[test]
fn failures_have_exit_codes_and_say_what_to_do() {
    let (terminal, username) = signed_up();
    std::fs::write(terminal.path("a"), fresh(10)).unwrap();
    terminal.json(&["upload", "a", "--to", "f"]);
    let exit = |code: i32, arguments: &[&str]| {
        let error = terminal.fails(code, arguments);
        if code != 2 || error.is_object() {
            assert_eq!(error["exit_code"], code, "{arguments:?}: {error}");
            assert!(
                error["message"].as_str().is_some_and(|text| !text.is_empty()),
                "{arguments:?}: {error}"
            );
        }
        error
    };
    exit(2, &["fly"]);
    exit(2, &["upload"]);
    exit(2, &["upload", "."]);
    exit(2, &["download", "f"]);
    exit(2, &["ls", "a/../b"]);
    exit(2, &["--api", "ftp://nowhere", "login", &username]);
    exit(4, &["upload", "missing"]);
    exit(4, &["download", "missing"]);
    exit(4, &["rm", "f/missing"]);
    exit(4, &["mv", "missing", "b"]);
    exit(4, &["mv", "f/a", "missing/a"]);
    exit(4, &["mv", "f/a", "missing/"]);
    exit(2, &["mv", "/", "b"]);
    exit(2, &["mv", "f"]);
    exit(4, &["cp", "missing", "b"]);
    exit(4, &["cp", "f/a", "missing/"]);
    exit(2, &["cp", "f", "g"]);
    exit(2, &["cp", "-r", "/", "g"]);
    exit(5, &["cp", "-r", "f", "f"]);
    exit(5, &["cp", "f/a", "f/a"]);
    exit(5, &["mkdir", "f"]);
    exit(5, &["mkdir", "/"]);
    exit(4, &["mkdir", "missing/g"]);
    exit(5, &["mkdir", "-p", "f/a"]);
    exit(4, &["status", "missing"]);
    exit(4, &["rm", "--upload", "f/a"]);
    exit(2, &["rm", "/"]);
    exit(4, &["trash", "restore", "f/a"]);
    exit(4, &["trash", "rm", "missing"]);
    exit(2, &["trash", "empty"]);
    exit(5, &["signup", &username]);
    exit(5, &["download", "f/a", "-o", "a"]);
    std::fs::write(terminal.path("a"), fresh(11)).unwrap();
    assert_eq!(exit(5, &["upload", "a", "--to", "f"])["code"], "name_taken");
    // Nobody listens there.
    exit(7, &["--api", "http://127.0.0.1:9", "login", &username]);
    exit(3, &["--api", "http://127.0.0.1:9", "ls"]);

    let stranger = Terminal::new();
    assert_eq!(stranger.fails(3, &["ls"])["exit_code"], 3);
    let output = stranger
        .command(&["--json", "login", &username])
        .env("LONGSHORE_PASSWORD", "wrong password")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test]
async fn a_full_account() {
    let terminal = Terminal::new();
    let account = terminal.json(&["signup", &new_username()]);
    let pk = format!("ACCOUNT#{}", account["account"]["id"].as_str().unwrap());
    aws::set(&pk, "ACCOUNT", &json!({ "quota_bytes": 100, "free_bytes": 100 })).await;
    for (name, size) in [("fits", 60), ("does not", 41)] {
        std::fs::write(terminal.path(name), fresh(size)).unwrap();
    }
    terminal.json(&["upload", "fits"]);
    let error = terminal.fails(6, &["upload", "does not"]);
    assert_eq!(error["code"], "quota_exceeded");
    assert_eq!(
        error["message"],
        "does not: not enough room: 41 B wanted, 40 B of 100 B free"
    );
    assert!(
        error["next_step"].as_str().unwrap().contains("longshore rm"),
        "{error}"
    );
    terminal.json(&["rm", "fits"]);
    let error = terminal.fails(6, &["upload", "does not"]);
    let freed = "which frees 60 B (longshore trash empty)";
    assert!(error["next_step"].as_str().unwrap().contains(freed), "{error}");
}

/// Bytes that are not what they were are never saved under the file's name.
#[tokio::test]
async fn bytes_that_rotted_in_the_store() {
    for size in [1000, PART + 1000] {
        let (terminal, _) = signed_up();
        let bytes = fresh(size);
        std::fs::write(terminal.path("file"), &bytes).unwrap();
        terminal.json(&["upload", "file"]);
        let blob = audit::blob_of(&content_id(&bytes).to_string()).await.unwrap();
        aws::spoil_object(&format!("blobs/{}", blob["id"].as_str().unwrap())).await;
        terminal.fails(8, &["download", "file", "-o", "copy"]);
        assert_eq!(terminal.names(), ["file"]);
    }
}

/// One bad file does not keep the others waiting, and is not forgotten.
#[test]
fn several_files_at_once() {
    let (terminal, _) = signed_up();
    for name in ["a", "b", "c"] {
        std::fs::write(terminal.path(name), fresh(10)).unwrap();
    }
    terminal.json(&["upload", "b"]);
    std::fs::write(terminal.path("b"), fresh(MIB)).unwrap();
    terminal.fails(5, &["upload", "a", "b", "c"]);
    let listed = terminal.json(&["ls"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    assert_eq!(listed["items"][1]["size"], 10, "what was there stays");
}
