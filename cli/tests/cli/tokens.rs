//! The personal access token that the environment has.

use crate::terminal::{Terminal, text};
use serde_json::json;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fn terminal() -> Terminal {
    let account = json!({
        "id": "a", "username": "ann", "quota_bytes": 1, "used_bytes": 0, "created_at": "2026-11-20T10:00:00Z",
    });
    Terminal::new(vec![("get /v1/account", 200, account)])
}

fn with_token(terminal: &Terminal, token: &OsStr) -> (Option<i32>, String) {
    let output = terminal
        .command(&["whoami"])
        .env("LONGSHORE_TOKEN", token)
        .output()
        .unwrap();
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_line_break_behind_a_token_is_no_part_of_it() {
    for token in ["lsp_a.b.c", "lsp_a.b.c\n", " lsp_a.b.c\r\n"] {
        let terminal = terminal();
        assert_eq!(with_token(&terminal, token.as_ref()).0, Some(0), "{token:?}");
        assert_eq!(terminal.tokens(), [Some("lsp_a.b.c".to_owned())]);
    }
    let signed_in = terminal();
    assert_eq!(
        with_token(&signed_in, "".as_ref()).0,
        Some(0),
        "an empty one is none"
    );
    assert_eq!(signed_in.tokens(), [Some(crate::terminal::TOKEN.to_owned())]);
}

#[test]
fn what_cannot_be_a_token_is_refused_and_not_left_out() {
    for token in [
        &b"two words"[..],
        b"lsp_a\nb",
        b"\n",
        b"lsp_\xff",
        "lsp_\u{e4}".as_bytes(),
    ] {
        let terminal = terminal();
        let (code, said) = with_token(&terminal, OsStr::from_bytes(token));
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.starts_with("longshore: LONGSHORE_TOKEN: it is not a token"),
            "{said}"
        );
        assert!(!said.contains("lsp_"), "{said}");
        assert_eq!(terminal.asked(), [""; 0]);
    }
}

#[test]
fn a_token_that_is_over_wants_another_one_and_no_login() {
    let over = json!({ "code": "unauthorized", "status": 401, "message": "the token has expired" });
    let terminal = Terminal::new(vec![
        ("get /v1/account", 401, over.clone()),
        ("post /v1/sessions/refresh", 401, over),
    ]);
    let (code, said) = with_token(&terminal, "lsp_a.b.c".as_ref());
    assert_eq!(code, Some(3));
    assert!(
        said.contains("the token has expired") && said.contains("longshore token create"),
        "{said}"
    );
    assert!(!said.contains("login"), "{said}");
    let output = terminal.run(&["whoami"]);
    assert!(text(&output.stderr).contains("longshore login"));
}

/// What is not allowed has more than one reason, and the server knows which.
#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let message = "a personal access token cannot do this; sign in with the password";
    let problem = json!({ "code": "forbidden", "status": 403, "message": message });
    let terminal = Terminal::new(vec![("post /v1/tokens", 403, problem)]);
    let output = terminal
        .command(&["token", "create", "t", "--scope", "read"])
        .env("LONGSHORE_TOKEN", "lsp_a.b.c")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), format!("longshore: {message}\n"));
}
