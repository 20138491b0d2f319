//! Every sample event (`events/`), invoked as a person would: the real function, with the environment that
//! `cargo xtask events` writes, through `cargo lambda invoke`, and with the answer that is written next to the event, or
//! that the endpoint declares.
//!
//! The events come from the folder: a new one is tested without being named here.

mod expected;
mod local;

use crate::harness::documented;
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

/// The events of a function.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut events = listed(folder);
    events.retain(|path| !name_of(path).ends_with(EXPECTED));
    events
}

/// What is written next to an event, if something is.
fn expected(event: &Path) -> Option<Expected> {
    let path = event.with_file_name(name_of(event).replace(".json", EXPECTED));
    let text = fs::read_to_string(&path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// What is not as an endpoint declares it, a line each.
fn undeclared(function: &str, is_bad_input: bool, outcome: &Result<Value, String>) -> Vec<String> {
    let Some(endpoint) = wire::endpoint(function) else {
        return vec!["nothing says what is expected".to_owned()];
    };
    let answer = match outcome {
        Ok(answer) => answer,
        Err(said) => return vec![said.clone()],
    };
    if !is_bad_input {
        return documented::differences(endpoint, answer);
    }
    let expected = if endpoint.path.contains("{id}") {
        (404, "not_found")
    } else {
        (401, "unauthorized")
    };
    let is_expected = answer["statusCode"] == expected.0 && answer["body"]["code"] == expected.1;
    let difference = || format!("{answer}, expected was {expected:?}");
    (!is_expected).then(difference).into_iter().collect()
}

#[tokio::test]
async fn every_event_gets_its_expected_answer_on_an_emulated_stack() {
    let mut world = SampleWorld::put().await;
    let watch = Watch::start().await;
    let (mut invoked, mut wrong) = (0, Vec::new());
    for folder in functions() {
        let name = name_of(&folder);
        let function = Function::start(name, &world, &watch);
        let made = world.bad_input(name);
        for event in cases(&folder).into_iter().chain(made.clone()) {
            // Each event finds the world as it is described, whatever the one before it did.
            world.put_again().await;
            let outcome = function.invoke(&event, &watch).await;
            invoked += 1;
            let differences = match expected(&event) {
                Some(expected) => expected.differences(&outcome).await,
                None => undeclared(name, made.as_ref() == Some(&event), &outcome),
            };
            if !differences.is_empty() {
                wrong.push(format!(
                    "{}:\n  {}\n{}",
                    event.display(),
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
