//! What a function asks of a real stack is what `docs/remote-calls.md` says, which is recorded against AWS in memory: some functions,
//! each in a process of its own, with a proxy between it and the stack that sees what it sends.

use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::PROVABLE;
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::root;
use serde_json::{Value, json};

/// The calls that the page has for a function in some case, in the order of their names: some are made at the same time, and
/// arrive in any order.
fn documented(page: &str, function: &str, case: &str) -> Vec<String> {
    let line = page
        .lines()
        .find(|line| line.contains(&format!("| `{function}` | {case} |")))
        .unwrap_or_else(|| panic!("the page has {function}, {case:?}"));
    let words = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
    let calls = words.split(", ").flat_map(|moment| moment.split(" + "));
    let calls = calls.flat_map(|words| match words.split_once(" × ") {
        Some((count, call)) => vec![call.to_owned(); count.parse().unwrap()],
        None => vec![words.to_owned()],
    });
    let mut calls: Vec<_> = calls.collect();
    calls.sort_unstable();
    calls
}

/// The calls of one request to a function that has started already.
async fn made(person: &Person, function: &str, id: Option<&str>, body: Option<&Value>) -> Vec<String> {
    let mut sandbox = Sandbox::start(function, |_| Act::Pass).await;
    sandbox.ready().await;
    sandbox.proxy.forget();
    let event = http_event(function, id, &person.token, body);
    let answer = sandbox.invoke(&event).await.unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    assert!((200..300).contains(&status), "{function}: {answer}");
    // The first request of a function looks whether it understands the table: that is a part of its start.
    assert_ne!(sandbox.proxy.format_reads(), 0, "{function}");
    // Calls, not attempts: one that a busy emulator does not answer in time is sent again.
    let calls = sandbox.proxy.seen().into_iter();
    let calls = calls.filter(|seen| seen.attempt == 1).map(|seen| seen.operation);
    let mut calls: Vec<String> = calls.collect();
    calls.sort_unstable();
    calls
}

#[tokio::test]
async fn a_function_makes_the_documented_calls() {
    let page = std::fs::read_to_string(root().join("docs/remote-calls.md")).unwrap();
    let person = Person::new().await;
    let check = async |function: &str, case: &str, id: Option<&str>, body: Option<&Value>| {
        let made = made(&person, function, id, body).await;
        assert_eq!(made, documented(&page, function, case), "{function}, {case:?}");
    };
    let folder = json!({ "name": "folder" });
    check("folder-create", "", None, Some(&folder)).await;
    check("session-list", "", None, None).await;
    // Smaller ones are not looked for at other accounts.
    let bytes = fresh(PROVABLE);
    let new = json!({ "name": "new", "size": bytes.len(), "content_id": content_id(&bytes) });
    check("upload-create", "new content", None, Some(&new)).await;
    let sent = person.sent("sent", &bytes).await.id;
    check("upload-get", "open", Some(&sent), None).await;
    check("upload-abort", "", Some(&sent), None).await;
}

#[test]
fn the_words_of_the_page_are_calls() {
    let page = "| `GET /v1/files` | `file-list` | a folder | 5 | 3 | B Get, 2 × A Query + A Get, B Get |";
    let calls = ["A Get", "A Query", "A Query", "B Get", "B Get"];
    assert_eq!(documented(page, "file-list", "a folder"), calls);
}
