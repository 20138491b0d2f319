//! Where downloads go.

use crate::terminal::{Terminal, text};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::{Command, Output};
use std::thread;

const BYTES: &[u8] = b"some\0bytes without a line break";

fn fetched(terminal: &Terminal) -> bool {
    terminal
        .asked()
        .iter()
        .any(|call| call.starts_with("get /store/"))
}

#[track_caller]
fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn to_standard_output_and_nothing_else_there() {
    for name in ["-", "/dev/stdout"] {
        let terminal = Terminal::with_file(BYTES);
        let output = terminal.run(&["download", "f.bin", "-o", name]);
        succeeds(&output);
        assert_eq!(output.stdout, BYTES);
        assert!(text(&output.stderr).contains("verified"));
        let output = terminal.run(&["download", "f.bin", "-o", name, "--json"]);
        succeeds(&output);
        assert_eq!(output.stdout, BYTES);
        let said = text(&output.stderr);
        let document: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&document["output"], &document["size"]),
            (&"-".into(), &BYTES.len().into())
        );
        let output = terminal.run(&["download", "f.bin", "-o", name, "--quiet"]);
        assert_eq!(
            (output.stdout.as_slice(), text(&output.stderr)),
            (BYTES, String::new())
        );
        assert_eq!(terminal.names(), [""; 0]);
    }
    let empty = Terminal::with_file(b"");
    succeeds(&empty.run(&["download", "f.bin", "-o", "-"]));
    let terminal = Terminal::with_file(BYTES);
    succeeds(&terminal.run(&["download", "f.bin", "-o", "./-"]));
    assert_eq!(fs::read(terminal.path("-")).unwrap(), BYTES);
}

#[test]
fn to_standard_output_is_no_success_before_all_is_verified() {
    let terminal = Terminal::with_file(BYTES);
    terminal.store(&BYTES.to_ascii_uppercase());
    let output = terminal.run(&["download", "f.bin", "-o", "-"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("do not use them"), "{said}");

    let terminal = Terminal::with_file(&vec![7; 4 << 20]);
    let output = terminal.shell("longshore -q download f.bin -o - | head -c 10; exit ${PIPESTATUS[0]}");
    let seen = (
        output.status.code(),
        output.stdout.as_slice(),
        text(&output.stderr),
    );
    assert_eq!(seen, (Some(1), &[7; 10][..], String::new()));
    if cfg!(target_os = "linux") {
        let output = terminal.shell("longshore -q download f.bin -o - > /dev/full");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said.contains("cannot write to standard output: No space"),
            "{said}"
        );
    }
}

#[test]
fn to_a_pipe_or_a_device_that_stays_one() {
    let terminal = Terminal::with_file(BYTES);
    let pipe = terminal.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for force in [&[][..], &["-f"]] {
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        let output = terminal.run(&[&["download", "f.bin", "-o", "pipe"], force].concat());
        succeeds(&output);
        assert!(text(&output.stdout).starts_with("pipe  "));
        assert_eq!(reader.join().unwrap(), BYTES);
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        succeeds(&terminal.run(&[&["download", "f.bin", "-o", "/dev/null"], force].concat()));
    }
    assert_eq!(terminal.names(), ["pipe"]);
}

#[test]
fn into_folders() {
    let terminal = Terminal::with_file(BYTES);
    fs::create_dir(terminal.path("there")).unwrap();
    for (name, file) in [
        ("there", "there/f.bin"),
        ("new/", "new/f.bin"),
        ("new/deep/", "new/deep/f.bin"),
    ] {
        succeeds(&terminal.run(&["download", "f.bin", "-o", name]));
        assert_eq!(fs::read(terminal.path(file)).unwrap(), BYTES, "{name}");
    }
}

#[test]
fn a_link_to_a_file_stays_one() {
    let terminal = Terminal::with_file(BYTES);
    fs::write(terminal.path("file"), b"old").unwrap();
    symlink("file", terminal.path("link")).unwrap();
    let output = terminal.run(&["download", "f.bin", "-o", "link"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    succeeds(&terminal.run(&["download", "f.bin", "-o", "link", "--force"]));
    assert_eq!(fs::read(terminal.path("file")).unwrap(), BYTES);
    assert!(terminal.path("link").is_symlink());
    assert_eq!(terminal.names(), ["file", "link"]);
}

#[test]
fn what_cannot_be_is_told_before_the_first_byte() {
    let terminal = Terminal::with_file(BYTES);
    fs::write(terminal.path("file"), b"").unwrap();
    fs::create_dir_all(terminal.path("folder/f.bin")).unwrap();
    symlink("nowhere", terminal.path("dangling")).unwrap();
    let long = "n".repeat(300);
    for (name, code) in [
        ("missing/file", 4),
        ("folder", 5),
        ("dangling", 5),
        ("file/", 1),
        ("file/below", 1),
        ("/proc/self/nothing", 4),
        (long.as_str(), 1),
    ] {
        let output = terminal.run(&["download", "f.bin", "-f", "-o", name]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        assert!(!fetched(&terminal), "{name}: {said}");
    }
    assert_eq!(terminal.names(), ["dangling", "file", "folder"]);
}

/// JSON is text, and names need not be.
#[test]
fn to_a_name_that_is_no_text() {
    let terminal = Terminal::with_file(BYTES);
    let name = OsStr::from_bytes(b"caf\xe9");
    let arguments = [
        OsStr::new("--json"),
        OsStr::new("download"),
        OsStr::new("f.bin"),
        OsStr::new("-o"),
        name,
    ];
    succeeds(&terminal.command(&arguments).output().unwrap());
    assert_eq!(fs::read(terminal.path("x").with_file_name(name)).unwrap(), BYTES);
}
