//! Bytes that another account has: a user who has them, too, need not send them.

use super::signed_up;
use crate::harness::bytes::{MIB, PART, fresh};
use serde_json::json;

#[test]
fn bytes_that_somebody_else_has_are_proved_and_not_sent() {
    // Small enough for one part, and with a part that is not full.
    for size in [MIB, 2 * PART + 4097] {
        let ((owner, _), (other, _)) = (signed_up(), signed_up());
        let bytes = fresh(size);
        for terminal in [&owner, &other] {
            std::fs::write(terminal.path("file"), &bytes).unwrap();
        }
        let sent = owner.json(&["upload", "file"]);
        assert_eq!(sent["how"], "sent");
        let instant = other.json(&["upload", "file"]);
        assert_eq!(
            (&instant["how"], &instant["parts_sent"], &instant["parts_kept"]),
            (&json!("instant"), &json!(0), &json!(0)),
            "{size} bytes"
        );
        assert_eq!(instant["file"]["content_id"], sent["file"]["content_id"]);
        assert_ne!(instant["file"]["id"], sent["file"]["id"]);

        // It is a file of its own, whatever becomes of the other one.
        owner.json(&["rm", "--permanently", "file"]);
        other.json(&["download", "file", "-o", "copy"]);
        assert!(std::fs::read(other.path("copy")).unwrap() == bytes);
        assert_eq!(other.json(&["whoami"])["account"]["used_bytes"], size);
    }
}

#[test]
fn people_are_told_why_it_was_so_fast() {
    let ((owner, _), (other, _)) = (signed_up(), signed_up());
    let bytes = fresh(MIB);
    for terminal in [&owner, &other] {
        std::fs::write(terminal.path("file"), &bytes).unwrap();
    }
    owner.json(&["upload", "file"]);
    let output = other.run(&["upload", "file"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(
        said.trim_end(),
        "file  1.0 MiB (instant: the same bytes are stored already)"
    );
}

/// What is small could be guessed: nobody is told that somebody else has it.
#[test]
fn small_files_are_always_sent() {
    let ((owner, _), (other, _)) = (signed_up(), signed_up());
    let bytes = fresh(MIB - 1);
    for terminal in [&owner, &other] {
        std::fs::write(terminal.path("file"), &bytes).unwrap();
        let sent = terminal.json(&["upload", "file"]);
        assert_eq!((&sent["how"], &sent["parts_sent"]), (&json!("sent"), &json!(1)));
    }
}
