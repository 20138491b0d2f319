//! `longshore replicas` as a program, against an API in this process that knows just enough.

#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;

/// What the API answers, by method and path: the first answer each, until only one is left.
type Answers = Arc<Mutex<Vec<(&'static str, u16, Value)>>>;

/// Somebody signed in at an API that gives `answers`.
struct Terminal {
    config: TempDir,
    api: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Terminal {
    fn new(answers: Vec<(&'static str, u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, log): (Answers, _) = (Arc::new(Mutex::new(answers)), Arc::clone(&asked));
        // Ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answers, &log);
            }
        });
        let config = tempfile::tempdir().unwrap();
        let tokens = json!({ "access": "t0k3n", "good_until": "2099-01-01T00:00:00Z", "refresh": "r3fr3sh" });
        let session = json!({ "api": api, "username": "ann", "tokens": tokens });
        std::fs::write(config.path().join("session.json"), session.to_string()).unwrap();
        Self { config, api, asked }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(arguments)
            .env_clear()
            .env("LONGSHORE_CONFIG_DIR", self.config.path())
            .env("LONGSHORE_API", &self.api)
            .output()
            .unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request per connection.
fn serve(stream: TcpStream, answers: &Answers, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.to_ascii_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length:"));
    let length: u64 = length.map_or(0, |text| text.trim().parse().unwrap());
    reader.by_ref().take(length).read_to_end(&mut Vec::new()).unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.trim() == "authorization: bearer t0k3n")
    );
    let call = lines[0].trim_end().trim_end_matches(" http/1.1").to_owned();
    log.lock().unwrap().push(call.clone());
    let (status, body) = answer(answers, &call);
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    reader.get_mut().write_all((head + &body).as_bytes()).unwrap();
}

fn answer(answers: &Answers, call: &str) -> (u16, String) {
    let mut answers = answers.lock().unwrap();
    let mut fitting = (0..answers.len()).filter(|index| answers[*index].0 == call);
    let Some(first) = fitting.next() else {
        let problem = json!({"code": "not_found", "status": 404, "message": "there is no such target"});
        return (404, problem.to_string());
    };
    let is_last = fitting.next().is_none();
    let (_, status, body) = answers[first].clone();
    if !is_last {
        answers.remove(first);
    }
    (status, body.to_string())
}

fn target(name: &str, changes: &Value) -> Value {
    let mut target = json!({
        "name": name, "kind": name, "standing": "active", "circuit": {"state": "closed", "failures": 0},
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output's documents.
fn documents(output: &Output) -> Vec<Value> {
    let text = text(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
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
            target("old", &json!({"standing": "retired"})),
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
        assert!(said.contains("account-set-role"), "{said}");
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
