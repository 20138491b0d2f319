//! `longshore replicas`.

use crate::terminal::{Terminal, documents, text};
use serde_json::{Value, json};

fn target(name: &str, changes: &Value) -> Value {
    let mut target = json!({
        "name": name, "kind": name, "status": "active", "circuit": {"state": "closed", "failures": 0},
        "pending": 0, "pending_bytes": 0, "failed": 0, "failed_bytes": 0, "available": 7, "available_bytes": 2048,
        "lag_seconds": 0, "bytes_per_second": 0,
    });
    let changes = changes.as_object().unwrap().clone();
    target.as_object_mut().unwrap().extend(changes);
    target
}

fn listed(targets: &[Value]) -> (&'static str, u16, Value) {
    (
        "get /v1/targets",
        200,
        json!({"items": targets, "next_cursor": null}),
    )
}

fn redriven(call: &'static str, redriven: u64, more: bool) -> (&'static str, u16, Value) {
    (call, 200, json!({"redriven": redriven, "more": more}))
}

#[test]
fn status_is_a_table_and_troubles_below() {
    let trouble = json!({
        "pending": 2, "pending_bytes": 3_145_728, "failed": 1, "failed_bytes": 10, "lag_seconds": 65,
        "oldest_pending_since": "2026-11-20T10:00:00Z", "bytes_per_second": 1024,
        "circuit": {"state": "open", "failures": 5, "open_until": "2026-11-20T10:05:00Z", "reason": "no space"},
    });
    let targets = [target("ceph", &json!({})), target("oss", &trouble)];
    let terminal = Terminal::new(vec![listed(&targets)]);
    let output = terminal.run(&["replicas", "status"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let expected = "\
TARGET  KIND  STANDING  PENDING      FAILED    AVAILABLE    OLDEST      RATE       CIRCUIT
ceph    ceph  active    0            0         7 (2.0 KiB)  -           -          closed
oss     oss   active    2 (3.0 MiB)  1 (10 B)  7 (2.0 KiB)  1 min 05 s  1.0 KiB/s  open
oss: failed 5 times in a row, left alone until 2026-11-20 10:05:00 UTC: no space
";
    assert_eq!(text(&output.stdout), expected);
    assert!(text(&output.stderr).contains("longshore replicas redrive"));
    let output = terminal.run(&["replicas", "status", "--json"]);
    let [document] = documents(&output).try_into().unwrap();
    assert_eq!(document["targets"][1]["circuit"]["reason"], "no space");
    assert_eq!(document["targets"][0]["available_bytes"], 2048);
}

#[test]
fn redrive_goes_on_while_there_is_more_at_every_target() {
    let ceph = "post /v1/targets/ceph/redrive";
    let terminal = Terminal::new(vec![
        listed(&[
            target("ceph", &json!({})),
            target("old", &json!({"status": "retired"})),
            target("oss", &json!({})),
        ]),
        redriven(ceph, 100, true),
        redriven(ceph, 0, true),
        redriven(ceph, 30, false),
        redriven("post /v1/targets/oss/redrive", 0, false),
    ]);
    let output = terminal.run(&["replicas", "redrive"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "ceph: 130 replicas will be tried again\noss: nothing to try again\n"
    );
    let asked = [
        "get /v1/targets",
        ceph,
        ceph,
        ceph,
        "post /v1/targets/oss/redrive",
    ];
    assert_eq!(terminal.asked(), asked);
}

#[test]
fn redrive_of_one_target_asks_about_no_other_and_ends() {
    let call = "post /v1/targets/oss/redrive";
    let terminal = Terminal::new(vec![redriven(call, 1, true), redriven(call, 0, true)]);
    let output = terminal.run(&["replicas", "redrive", "--target", "oss", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        documents(&output),
        [json!({"target": "oss", "redriven": 1, "more": true})]
    );
    assert!(terminal.asked().len() > 2 && terminal.asked().iter().all(|asked| asked == call));
}

#[test]
fn what_was_done_before_a_failure_is_told() {
    let call = "post /v1/targets/oss/redrive";
    let problem = json!({"code": "forbidden", "status": 403, "message": "only operators may do this"});
    let terminal = Terminal::new(vec![redriven(call, 100, true), (call, 403, problem)]);
    let output = terminal.run(&["replicas", "redrive", "--target", "oss"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("oss: 100 replicas will be tried again, but there is more"));
}

#[test]
fn who_is_no_operator_is_told_so() {
    let problem = json!({"code": "forbidden", "status": 403, "message": "only operators may see this"});
    let terminal = Terminal::new(vec![("get /v1/targets", 403, problem)]);
    for command in ["status", "redrive"] {
        let output = terminal.run(&["replicas", command]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        assert!(
            said.starts_with("longshore: only operators may see this\n"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "the server has said what to do: {said}");
    }
}

#[test]
fn an_unknown_target_is_not_found() {
    let terminal = Terminal::new(Vec::new());
    let output = terminal.run(&["replicas", "redrive", "--target", "nowhere"]);
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("longshore: nowhere: there is no such target\n"),
        "{said}"
    );
    assert!(said.contains("longshore replicas status"), "{said}");
}
