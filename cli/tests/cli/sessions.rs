//! Sessions are shown and ended.

use crate::terminal::{Terminal, text};
use serde_json::json;

fn terminal() -> Terminal {
    let session = |id: &str, current: bool, client: &str| {
        json!({
            "id": id, "current": current, "client": client, "created_at": "2026-11-20T10:00:00Z",
            "refreshed_at": "2026-11-21T10:00:00Z", "expires_at": "2026-12-21T10:00:00Z",
        })
    };
    let items = [
        session("5e01", true, "longshore/0.1.0 (linux)"),
        // A name that would move the cursor.
        session("5e02", false, "Firefox\u{1b}[2J"),
    ];
    Terminal::new(vec![
        (
            "get /v1/sessions?limit=100",
            200,
            json!({ "items": items, "next_cursor": null }),
        ),
        ("delete /v1/sessions/5e02", 204, json!(null)),
    ])
}

#[test]
fn the_current_session_is_marked() {
    let terminal = terminal();
    let output = terminal.command(&["session", "ls"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let line = |id: &str| shown.lines().find(|line| line.contains(id)).unwrap().to_owned();
    assert!(
        line("5e01").starts_with('*') && line("5e01").contains("longshore/0.1.0 (linux)"),
        "{shown}"
    );
    assert!(!line("5e02").contains('*'), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn one_is_ended() {
    let terminal = terminal();
    let output = terminal.command(&["session", "rm", "5e02"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("5e02 is over"));
    assert!(
        terminal
            .asked()
            .iter()
            .any(|call| call.contains("/v1/sessions/5e02"))
    );
}
