//! The table says in which version of the stored format it is: every function refuses another one, before it does anything.

use crate::harness::aws;
use crate::harness::bytes::unique;
use crate::harness::person::Person;
use crate::harness::proxy::{Act, Seen};
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::{root, stack};
use crate::harness::workers::Queues;
use crate::harness::world::{World, schedule};
use serde_json::{Value, json};

/// The only function that has nothing to do with the table.
const WITHOUT_TABLE: &str = "openapi-get";

/// The sample event of a function, sent by this person.
fn event(function: &str, person: &Person) -> Value {
    let file = root().join("events").join(function).join("success.json");
    let mut event: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    if event["headers"]["Authorization"].is_string() {
        let bearer = format!("Bearer {}", person.token);
        event["headers"]["Authorization"] = json!(bearer);
        event["multiValueHeaders"]["Authorization"] = json!([bearer]);
    }
    event
}

/// A function that is shown another item as the format says so, and asks nothing else of table and bucket.
async fn refuses(function: &str, person: &Person, queues: &Queues, pk: &str, says: &str) {
    let queues_of_its_own = queues.environment();
    // What it puts off, nobody else shall get.
    let environment = if function == "replicate" {
        &queues_of_its_own[..]
    } else {
        &[]
    };
    let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, environment).await;
    let pk = pk.to_owned();
    sandbox.proxy.on_send(move |seen: &Seen| {
        let mut request = seen.json()?;
        let reads_format = request["Key"]["pk"]["S"] == "FORMAT";
        request["Key"]["pk"]["S"] = json!(pk);
        reads_format.then_some(request)
    });
    let answer = sandbox.invoke(&event(function, person)).await.expect("it lives");
    let log = sandbox.log();
    assert!(
        log.contains("the table is in another format: ") && log.contains(says),
        "{function}: {log}"
    );
    if let Some(message) = answer["error"]["errorMessage"].as_str() {
        assert!(message.contains(says), "{function}: {answer}");
    } else if function == "replicate" {
        assert_eq!(queues.waiting().await, 1, "its message comes again: {answer}");
    } else {
        assert_eq!(answer["statusCode"], 500, "{function}: {answer}");
        assert!(!answer.to_string().contains("format"), "{function}: {answer}");
    }
    // Before it makes a table new, the sweep looks whether it is.
    let of_sweep = |operation: &String| function == "sweep" && operation == "DynamoDB Scan";
    let asked = sandbox.proxy.operations().into_iter();
    let asked = asked.filter(|operation| operation.starts_with("DynamoDB ") || operation.starts_with("S3 "));
    let asked: Vec<_> = asked.filter(|operation| !of_sweep(operation)).collect();
    assert_eq!(asked, [""; 0], "{function}");
}

#[tokio::test]
async fn every_function_refuses_another_format() {
    let person = Person::new().await;
    let newer = format!("FORMAT-{:x}", unique());
    aws::put(&json!({ "pk": newer, "sk": "FORMAT", "version": 999 })).await;
    let mut functions: Vec<_> = stack().functions.keys().map(String::as_str).collect();
    functions.retain(|function| *function != WITHOUT_TABLE);
    assert!(functions.len() > 30, "{functions:?}");
    let queues = Queues::new().await;
    for function in functions {
        refuses(function, &person, &queues, &newer, "its version is 999").await;
    }
    for function in ["account-get", "account-set-role", "sweep"] {
        refuses(
            function,
            &person,
            &queues,
            "FORMAT-of-nothing",
            "it has no version",
        )
        .await;
    }
    queues.delete().await;
}

/// What was found right is not read again; what could not be read is.
#[tokio::test]
async fn the_format_is_read_once() {
    let person = Person::new().await;
    let mut function = Sandbox::start("account-get", |_| Act::Pass).await;
    function.ready().await;
    assert_eq!(function.proxy.format_reads(), 0, "not before there is a request");
    let event = http_event("account-get", None, &person.token, None);
    let mut status = async |act| {
        function.proxy.on_format(act);
        let answer = function.invoke(&event).await.unwrap();
        (
            answer["statusCode"].as_u64().unwrap(),
            function.proxy.format_reads(),
        )
    };
    let (failed, attempts) = status(Act::Refuse).await;
    assert_eq!(failed, 503);
    assert_eq!(status(Act::Pass).await, (200, attempts + 1));
    assert_eq!(status(Act::Refuse).await, (200, attempts + 1));
}

/// Only a table with nothing in it is made one of this release's.
#[tokio::test]
async fn an_empty_table_gets_its_format_from_the_sweep() {
    let world = World::new().await;
    let format = world.item("FORMAT", "FORMAT").await;
    world.lose_item("FORMAT", "FORMAT").await;
    let mut sweep = world.function("sweep", |_| Act::Pass).await;
    let older = sweep.invoke(&schedule()).await.unwrap();
    let message = older["error"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("it has no version"), "{older}");
    assert_eq!(world.item("FORMAT", "FORMAT").await, None);
    let partition = world.person.partition();
    for sk in world.sort_keys(&partition).await {
        world.lose_item(&partition, &sk).await;
    }
    let new = sweep.invoke(&schedule()).await.unwrap();
    assert_eq!(new["error"], Value::Null, "{new}");
    assert_eq!(world.item("FORMAT", "FORMAT").await, format);
    world.remove().await;
}
