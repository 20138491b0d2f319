//! Signing up, signing in, and the end of an account.

use crate::terminal::{Terminal, text};
use serde_json::json;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::time::Duration;

/// Nobody types a password to be told then that it is of no use.
#[test]
fn the_address_comes_before_the_password() {
    let terminal = Terminal::new(Vec::new());
    std::fs::remove_file(terminal.session_file()).unwrap();
    for (command, api, expected) in [
        ("signup", "", "which API?"),
        ("login", " ", "which API?"),
        ("signup", "ftp://nowhere", "is not the address of an API"),
        ("login", "nowhere", "is not the address of an API"),
    ] {
        let output = terminal
            .command(&[command, "ann"])
            .env("LONGSHORE_API", api)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && !said.contains("password"), "{said}");
    }
    for command in ["password", "delete-account"] {
        let output = terminal.run(&[command]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    }
}

fn deletable() -> Terminal {
    Terminal::new(vec![("delete /v1/account", 204, json!(null))])
}

#[test]
fn an_account_is_not_deleted_because_a_password_is_at_hand() {
    let terminal = deletable();
    let delete = |more: &[&str]| {
        let arguments = [&["delete-account"], more].concat();
        let mut command = terminal.command(&arguments);
        command.env("LONGSHORE_PASSWORD", "right").output().unwrap()
    };
    let output = delete(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("delete-account --yes"));
    assert_eq!(terminal.asked(), [""; 0]);
    assert!(terminal.session_file().exists());
    let output = delete(&["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(terminal.asked(), ["delete /v1/account"]);
    assert!(!terminal.session_file().exists());
}

/// `script` is a terminal to the program.
#[cfg(target_os = "linux")]
#[test]
fn an_account_is_deleted_by_its_name() {
    for (typed, deleted) in [("ann", true), ("bob", false), ("yes", false), ("", false)] {
        let terminal = deletable();
        let program = env!("CARGO_BIN_EXE_longshore");
        let line = format!("echo {typed} | script -qec '{program} delete-account' /dev/null");
        let mut shell = Command::new("bash");
        shell
            .args(["-o", "pipefail", "-c", &line])
            .env("LONGSHORE_CONFIG_DIR", terminal.config.path())
            .env("LONGSHORE_API", &terminal.api)
            .env("LONGSHORE_PASSWORD", "right");
        let output = shell.output().unwrap();
        let said = text(&output.stdout);
        assert!(
            said.contains(&format!("deletes the account ann at {}", terminal.api)),
            "{said}"
        );
        assert_eq!(output.status.success(), deleted, "{typed}: {said}");
        assert_eq!(terminal.asked().len(), usize::from(deleted), "{typed}: {said}");
    }
}

/// `logout` of a command that was slow, after somebody else has signed in.
#[test]
fn only_the_own_session_is_forgotten() {
    let terminal = Terminal::new(vec![("delete /v1/sessions/current", 204, json!(null))]);
    terminal.delay(Duration::from_millis(300));
    let program = terminal.command(&["logout"]).spawn().unwrap();
    terminal.wait_for("delete /v1/sessions/current");
    terminal.sign_in("bob", "2099-01-01T00:00:00Z");
    assert!(program.wait_with_output().unwrap().status.success());
    let kept = std::fs::read_to_string(terminal.session_file()).unwrap();
    assert!(kept.contains("bob"), "{kept}");
}

/// The same for a command that exchanges its tokens meanwhile.
#[test]
fn exchanged_tokens_do_not_take_the_place_of_another_session() {
    let tokens = json!({
        "access_token": "n3w", "expires_in": 900, "refresh_token": "n3xt", "refresh_expires_at": "2099-01-01T00:00:00Z",
    });
    let account = json!({
        "id": "a", "username": "ann", "quota_bytes": 1, "used_bytes": 0, "created_at": "2026-11-20T10:00:00Z",
    });
    for username in ["bob", "ann"] {
        let terminal = Terminal::new(vec![
            ("post /v1/sessions/refresh", 200, tokens.clone()),
            ("get /v1/account", 200, account.clone()),
        ]);
        terminal.sign_in("ann", "2020-01-01T00:00:00Z");
        terminal.delay(Duration::from_millis(300));
        let program = terminal.command(&["whoami"]).spawn().unwrap();
        terminal.wait_for("post /v1/sessions/refresh");
        // Whatever the clock said then.
        terminal.sign_in(username, "2020-01-01T00:00:00Z");
        let session = std::fs::read_to_string(terminal.session_file()).unwrap();
        let session = session.replace("r3fr3sh", "an0ther");
        std::fs::write(terminal.session_file(), &session).unwrap();
        assert!(program.wait_with_output().unwrap().status.success());
        let kept = std::fs::read_to_string(terminal.session_file()).unwrap();
        assert_eq!(kept, session, "{username}");
    }
}

#[test]
fn a_password_ends_before_its_line_break() {
    let session = json!({
        "access_token": "n3w", "expires_in": 900, "refresh_token": "n3xt", "refresh_expires_at": "2099-01-01T00:00:00Z",
    });
    let terminal = Terminal::new(vec![("post /v1/sessions", 201, session)]);
    let login = |password: &[u8]| {
        let mut command = terminal.command(&["login", "ann"]);
        let output = command
            .env("LONGSHORE_PASSWORD", OsStr::from_bytes(password))
            .output()
            .unwrap();
        (output.status.code(), text(&output.stderr))
    };
    for password in [&b" right "[..], b" right \n", b" right \r\n"] {
        assert_eq!(login(password).0, Some(0));
    }
    let sent = terminal.bodies();
    assert!(
        sent.len() == 3 && sent.iter().all(|body| body["password"] == " right "),
        "{sent:?}"
    );
    let (code, said) = login(b"\xff");
    assert_eq!(code, Some(2));
    assert!(said.contains("LONGSHORE_PASSWORD is not in UTF-8"), "{said}");
}
