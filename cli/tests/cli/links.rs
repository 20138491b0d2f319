//! A URL of a file, for other programs.

use crate::terminal::{Terminal, text};
use serde_json::{Value, json};

const URL: &str = "https://store.example/bucket/blobs/b1?X-Amz-Expires=900&X-Amz-Signature=5ca1ab1e";

/// The API has a file and a folder.
fn terminal() -> Terminal {
    let content_id = "nQ9jCDgaJrdqVgSwcbhCkFiWSkwQ3uDXIbFhLOwKzIU=-1";
    let node = |id: &str, kind: &str, name: &str| {
        json!({
            "id": id, "kind": kind, "name": name, "parent": null, "size": 5, "content_id": content_id,
            "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        })
    };
    let listed = |node: Value| json!({ "items": [node], "next_cursor": null });
    let link = json!({
        "url": URL, "expires_at": "2026-11-20T10:15:00Z", "size": 5, "content_id": content_id,
    });
    Terminal::new(vec![
        (
            "get /v1/files?name=a.txt",
            200,
            listed(node("f1", "file", "a.txt")),
        ),
        ("get /v1/files?name=d", 200, listed(node("d1", "folder", "d"))),
        ("get /v1/files/f1/link", 200, link),
    ])
}

#[test]
fn standard_output_has_the_url_alone() {
    let terminal = terminal();
    let output = terminal.run(&["link", "/a.txt"]);
    let remark = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{remark}");
    assert_eq!(text(&output.stdout), format!("{URL}\n"));
    assert!(remark.contains("until 2026-11-20 10:15"), "{remark}");
    let output = terminal.run(&["link", "/a.txt", "--quiet"]);
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        (format!("{URL}\n"), String::new())
    );
    let output = terminal.run(&["link", "/a.txt", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (
            &document["path"],
            &document["url"],
            &document["expires_at"],
            &document["size"]
        ),
        (
            &json!("a.txt"),
            &json!(URL),
            &json!("2026-11-20T10:15:00Z"),
            &json!(5)
        )
    );
}

#[test]
fn a_folder_has_none() {
    for path in ["d", "/"] {
        let output = terminal().run(&["link", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert_eq!(text(&output.stdout), "");
        assert!(text(&output.stderr).contains("is a folder"), "{path}");
    }
}
