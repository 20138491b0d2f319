//! Every sample event (`events/`), invoked as a person would: the real function, with the environment that
//! `cargo xtask events` writes, through `cargo lambda invoke`, and with the answer that is written next to the event.
//!
//! The events come from the folder: a new one is tested without being named here, and one without an expected answer
//! fails.

mod expected;
mod local;

use crate::harness::http::send;
use crate::harness::stack::{python, root, stack};
use expected::Expected;
use local::{Function, SampleWorld, Watch};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What ends the name of a file with an expected answer.
const EXPECTED: &str = ".expected.json";

/// The folders and files in a folder, in order.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The functions, by the folders with their events.
fn functions() -> Vec<PathBuf> {
    let mut folders = listed(&root().join("events"));
    folders.retain(|path| path.is_dir() && name_of(path) != "sample");
    folders
}

/// The events of a function, each with the file that says what is expected.
fn cases(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let files = listed(folder);
    let events = files.iter().filter(|path| !name_of(path).ends_with(EXPECTED));
    events
        .map(|event| {
            let name = name_of(event).strip_suffix(".json").unwrap();
            (event.clone(), folder.join(format!("{name}{EXPECTED}")))
        })
        .collect()
}

#[tokio::test]
async fn every_event_gets_its_expected_answer_on_an_emulated_stack() {
    let mut world = SampleWorld::put().await;
    let watch = Watch::start().await;
    let (mut invoked, mut wrong) = (0, Vec::new());
    for folder in functions() {
        let function = Function::start(name_of(&folder), &world, &watch);
        for (event, expected) in cases(&folder) {
            let case = event.strip_prefix(root()).unwrap().display().to_string();
            let Ok(text) = fs::read_to_string(&expected) else {
                wrong.push(format!("{case} has no {}", name_of(&expected)));
                continue;
            };
            let expected: Expected =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
            // Each event finds the world as it is described, whatever the one before it did.
            world.put_again().await;
            let outcome = function.invoke(&event, &watch).await;
            invoked += 1;
            let differences = expected.differences(&outcome).await;
            if !differences.is_empty() {
                wrong.push(format!(
                    "{case}:\n  {}\n{}",
                    differences.join("\n  "),
                    function.log()
                ));
            }
        }
    }
    println!("{invoked} events invoked through cargo lambda invoke");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        invoked > functions().len(),
        "each function has an event, most have several"
    );
}

#[tokio::test]
async fn the_sample_token_opens_nothing_that_is_deployed() {
    let event = fs::read(root().join("events/account-get/success.json")).unwrap();
    let event: Value = serde_json::from_slice(&event).unwrap();
    let token = event["headers"]["Authorization"].as_str().unwrap();
    let url = format!("{}/v1/account", stack().api_url);
    let answer = send("GET", &url, &[("authorization", token)], "").await;
    assert_eq!(answer.status, 401, "{}", answer.text());
}

#[test]
fn the_sample_world_is_for_stacks_on_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let stack = folder.path().join("stack.json");
    for endpoint in [
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://192.0.2.1:4566",
        "http://localhost.example.com:4566",
    ] {
        fs::write(
            &stack,
            json!({ "endpoint": endpoint, "region": "us-east-1" }).to_string(),
        )
        .unwrap();
        let output = Command::new(python())
            .arg(root().join("events/sample/put.py"))
            .arg("--stack")
            .arg(&stack)
            .arg("--out")
            .arg(folder.path().join("out"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("is not on this machine"),
            "{endpoint}: {said}"
        );
    }
}

/// A body is easier to read as JSON than as text that is JSON.
fn with_readable_body(mut answer: Value) -> Value {
    let parsed = answer["body"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    if let Some(body) = parsed {
        answer["body"] = body;
    }
    answer
}
