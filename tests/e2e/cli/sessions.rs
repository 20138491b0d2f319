//! Logins, passwords and tokens at a terminal.

use super::signed_up;
use crate::harness::cli::Terminal;
use crate::harness::person::PASSWORD;
use serde_json::{Value, json};
use std::fs;

const ANOTHER: &str = "staple correct horse";

fn kept(terminal: &Terminal) -> Value {
    serde_json::from_slice(&fs::read(terminal.session_file()).unwrap()).unwrap()
}

#[test]
fn a_login_lasts_longer_than_its_first_token() {
    let (terminal, username) = signed_up();
    let mut session = kept(&terminal);
    let first = session["tokens"]["refresh"].clone();
    session["tokens"]["good_until"] = json!("2020-01-01T00:00:00Z");
    fs::write(terminal.session_file(), session.to_string()).unwrap();
    assert_eq!(terminal.json(&["whoami"])["account"]["username"], username);
    let then = kept(&terminal);
    assert_ne!(then["tokens"]["refresh"], first);
    assert_eq!(terminal.json(&["whoami"])["account"]["username"], username);
    assert_eq!(kept(&terminal), then, "the new ones are used");
}

#[test]
fn a_login_ends_here_and_everywhere() {
    let (one, username) = signed_up();
    let other = Terminal::new();
    other.json(&["login", &username]);
    one.json(&["logout"]);
    assert!(!one.session_file().exists());
    one.fails(3, &["whoami"]);
    one.fails(3, &["logout"]);
    other.json(&["whoami"]);
    one.json(&["login", &username]);
    one.json(&["logout", "--everywhere"]);
    other.fails(3, &["whoami"]);
    // Somebody who has been signed out already can forget about it.
    other.json(&["logout"]);
}

#[test]
fn another_password_ends_the_logins_elsewhere() {
    let (here, username) = signed_up();
    let elsewhere = Terminal::new();
    elsewhere.json(&["login", &username]);
    let change = |from: &str, to: &str| {
        let mut command = here.command(&["password"]);
        command
            .env("LONGSHORE_PASSWORD", from)
            .env("LONGSHORE_NEW_PASSWORD", to);
        command.output().unwrap().status.success()
    };
    assert!(!change(ANOTHER, ANOTHER) && change(PASSWORD, ANOTHER));
    here.json(&["whoami"]);
    elsewhere.fails(3, &["whoami"]);
    elsewhere.fails(3, &["login", &username]);
    assert!(change(ANOTHER, PASSWORD));
    elsewhere.json(&["login", &username]);
}

#[test]
fn a_program_has_a_token_of_its_own() {
    let (terminal, _) = signed_up();
    let made = terminal.json(&[
        "token", "create", "ci", "--scope", "upload", "--scope", "read", "--days", "1",
    ]);
    let token = made["token"].as_str().unwrap();
    let program = Terminal::new();
    let with = |arguments: &[&str]| {
        let output = program
            .command(arguments)
            .env("LONGSHORE_TOKEN", token)
            .output()
            .unwrap();
        output.status.code().unwrap()
    };
    fs::write(program.path("built.txt"), b"built").unwrap();
    assert_eq!(with(&["upload", "built.txt"]), 0);
    assert_ne!(with(&["rm", "built.txt"]), 0, "that wants another scope");
    let listed = terminal.json(&["token", "ls"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(token));
    terminal.json(&["token", "rm", made["id"].as_str().unwrap()]);
    assert_eq!(with(&["ls"]), 3);
    terminal.fails(4, &["token", "rm", made["id"].as_str().unwrap()]);
}

#[test]
fn an_account_is_deleted() {
    let (terminal, username) = signed_up();
    let wrong = terminal
        .command(&["delete-account", "--yes"])
        .env("LONGSHORE_PASSWORD", ANOTHER)
        .output();
    assert!(!wrong.unwrap().status.success());
    terminal.json(&["whoami"]);
    // A password is at hand, and nobody who could say that it is meant.
    terminal.fails(2, &["delete-account"]);
    terminal.json(&["whoami"]);
    terminal.json(&["delete-account", "--yes"]);
    assert!(!terminal.session_file().exists());
    terminal.fails(3, &["login", &username]);
}
