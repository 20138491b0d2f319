//! The policy on logs (`crates/telemetry/src/logging.rs`): nothing in them opens anything.
//!
//! Every function that a test runs alone is held to it when it ends, with all its errors (`harness::sandbox`); here are the
//! deployed ones.

use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::secrets::{secrets_in, values};
use crate::harness::signed::send_signed;
use crate::harness::stack::stack;
use crate::harness::wait::until;
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

/// All pages of a list of the logs.
async fn all(operation: &str, request: &Value, list: &str) -> Vec<Value> {
    let (mut request, mut found) = (request.clone(), Vec::new());
    loop {
        let page = logs(operation, &request).await;
        found.extend(page[list].as_array().unwrap().iter().cloned());
        // Events have one in each direction, and the same again at the end.
        let next = [&page["nextToken"], &page["nextForwardToken"]]
            .into_iter()
            .find(|token| token.is_string());
        match next {
            Some(next) if *next != request["nextToken"] => request["nextToken"] = next.clone(),
            _ => return found,
        }
    }
}

/// This many lines at once are, on an emulator, as many as it returns, without saying that there are more.
const MOST: usize = 10_000;

/// What the deployed functions wrote since then, a line each.
async fn lines(since: Timestamp) -> Vec<String> {
    let since = since.as_millisecond();
    let mut events = Vec::new();
    for group in all("DescribeLogGroups", &json!({}), "logGroups").await {
        let group = group["logGroupName"].as_str().unwrap();
        if !group.to_lowercase().contains("longshore") && !group.starts_with("/aws/lambda/") {
            continue;
        }
        let streams = all(
            "DescribeLogStreams",
            &json!({ "logGroupName": group }),
            "logStreams",
        )
        .await;
        let streams: Vec<&Value> = streams.iter().map(|stream| &stream["logStreamName"]).collect();
        for some in streams.chunks(50) {
            let request = json!({ "logGroupName": group, "logStreamNames": some, "startTime": since });
            let found = all("FilterLogEvents", &request, "events").await;
            if found.len() < MOST {
                events.extend(found);
                continue;
            }
            for stream in some {
                let request = json!({
                    "logGroupName": group, "logStreamName": stream, "startFromHead": true, "startTime": since,
                });
                events.extend(all("GetLogEvents", &request, "events").await);
            }
        }
    }
    let line = |event: &Value| event["message"].as_str().unwrap().to_owned();
    events.iter().map(line).collect()
}

/// Run when all others are over, so that it sees what they left.
#[tokio::test]
async fn nothing_secret_is_in_the_logs_of_the_whole_run() {
    let began = Timestamp::now();
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

    // What was done last is there, too.
    until("the logs are there", async || {
        let last = lines(began).await;
        last.iter()
            .any(|line| line.contains("request refused"))
            .then_some(())
    })
    .await;
    let lines = lines(began - SignedDuration::from_hours(2)).await;
    println!("{} lines", lines.len());
    let values = values().await;
    for line in &lines {
        assert_eq!(secrets_in(line, values), [], "{line}");
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
    for (function, id, body, status) in [
        ("session-create", None, Some(&credentials), 201),
        ("upload-sign-parts", Some(&upload), Some(&part), 200),
        ("file-download", Some(&file), None, 307),
    ] {
        let level = [("RUST_LOG", "trace")];
        let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, &level).await;
        let event = http_event(function, id.map(String::as_str), &person.token, body);
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
