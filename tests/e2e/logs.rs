//! The policy on logs (`crates/edge/src/logging.rs`): nothing in them opens anything.
//!
//! Every function that a test runs alone is held to it when it ends, with all its errors (`harness::sandbox`); here are the
//! deployed ones.

use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::secrets::secrets_in;
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use domain::content::PartDigest;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

async fn logs(operation: &str, body: &Value) -> Value {
    let target = format!("Logs_20140328.{operation}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    let url = format!("{}/", stack().url_of("logs"));
    let answer = send_signed("logs", "POST", &url, &headers, body.to_string()).await;
    answer.expect(200).json()
}

/// What the deployed functions wrote since the tests began, a line each.
async fn lines() -> Vec<String> {
    let since = (Timestamp::now() - SignedDuration::from_hours(2)).as_millisecond();
    let groups = logs("DescribeLogGroups", &json!({})).await;
    let mut lines = Vec::new();
    for group in groups["logGroups"].as_array().unwrap() {
        let name = group["logGroupName"].as_str().unwrap();
        let ours = name.to_lowercase().contains("longshore") || name.starts_with("/aws/lambda/");
        let mut token = Value::Null;
        if !ours {
            continue;
        }
        loop {
            let mut request = json!({ "logGroupName": name, "startTime": since });
            if token.is_string() {
                request["nextToken"] = token;
            }
            let page = logs("FilterLogEvents", &request).await;
            let events = page["events"].as_array().unwrap().iter();
            lines.extend(events.map(|event| event["message"].as_str().unwrap().to_owned()));
            token = page["nextToken"].clone();
            if !token.is_string() {
                break;
            }
        }
    }
    lines
}

/// Run when all others are over, so that it sees what they left.
#[tokio::test]
async fn nothing_secret_is_in_the_logs_of_the_whole_run() {
    // So that there is something to be found, whatever ran before.
    let person = Person::new().await;
    person.store("a", None, &fresh(10)).await;
    person
        .call("GET", "/files/nope", None)
        .await
        .problem(404, "not_found");
    let wrong = json!({ "username": person.username, "password": "a wrong guess" });
    person
        .call("POST", "/sessions", Some(&wrong))
        .await
        .problem(401, "unauthorized");

    let signing = aws::function_environment("session-create").await;
    let signing = signing.iter().find(|(name, _)| name == "SIGNING_SECRET_ID");
    let signing = aws::secret(&signing.unwrap().1).await;
    let targets = aws::secret(&stack().targets_secret_id).await;
    let keys = targets["targets"].as_array().unwrap().iter();
    let mut values: Vec<String> = keys
        .filter_map(|target| target["secret_access_key"].as_str().map(str::to_owned))
        .collect();
    values.push(signing["current"].as_str().unwrap().to_owned());
    // The local target has the emulator's own key, which is a word that all logs are full of.
    values.retain(|value| value.len() >= 16);

    let lines = crate::harness::wait::until("the logs are there", async || {
        let lines = lines().await;
        lines
            .iter()
            .any(|line| line.contains("request refused"))
            .then_some(lines)
    })
    .await;
    println!("{} lines", lines.len());
    for line in &lines {
        assert_eq!(secrets_in(line, &values), [], "{line}");
    }
}

/// Whatever level somebody chooses, what goes in and out is not written down.
#[tokio::test]
async fn even_at_the_finest_level() {
    let person = Person::new().await;
    let upload = person.begin("a", &fresh(5)).await.id;
    let file = person.store("b", None, &fresh(5)).await.file.id;
    let credentials = json!({ "username": person.username, "password": PASSWORD });
    let part = json!({ "parts": [{ "number": 1, "sha256": PartDigest::of(b"12345") }] });
    for (function, method, path, id, body, status) in [
        (
            "session-create",
            "POST",
            "/v1/sessions",
            None,
            Some(&credentials),
            201,
        ),
        (
            "upload-sign-parts",
            "POST",
            "/v1/uploads/{id}/parts",
            Some(&upload),
            Some(&part),
            200,
        ),
        (
            "file-download",
            "GET",
            "/v1/files/{id}/content",
            Some(&file),
            None,
            307,
        ),
    ] {
        let level = [("RUST_LOG", "trace")];
        let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, &level).await;
        let event = http_event(method, path, id.map(String::as_str), &person.token, body);
        let answer = sandbox.invoke(&event).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
        assert_eq!(secrets_in(&sandbox.log(), &[]), [], "{function}");
        // The same once more, and nothing answers: errors carry more than answers.
        let mut sandbox = Sandbox::start_with(
            function,
            |seen| {
                if seen.operation.starts_with("Secrets") {
                    Act::Pass
                } else {
                    Act::Refuse
                }
            },
            &level,
        )
        .await;
        let answer = sandbox.invoke(&event).await.unwrap();
        assert!(answer["statusCode"].as_u64().unwrap() >= 500, "{answer}");
        assert!(sandbox.log().contains("request failed"), "{function}");
        assert_eq!(secrets_in(&sandbox.log(), &[]), [], "{function}");
    }
}
