//! Each function's role allows what the function does, and nothing else.
//!
//! That nothing is missing shows everywhere: MiniStack enforces roles, also those of functions that a test runs alone. That
//! nothing is too much shows here, when all other tests are over: MiniStack writes down what each role was allowed to do, and
//! a permission that nobody has used by then is one that nobody needs.

use crate::harness::aws::{credentials_of, deployed};
use crate::harness::http::send;
use crate::harness::roles::{Copy, copies, permissions};
use crate::harness::signed::signature;
use crate::harness::stack::stack;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a role may do, or did: its name, the action, and the resource's ARN. Objects of a bucket are all one.
type Permission = (String, String, String);

/// What MiniStack does not ask a role about, and AWS does.
const NOT_ASKED: [(&str, &str); 5] = [
    // Lambda itself writes the logs and reads the queue, with the function's role.
    ("replicate", "logs:CreateLogStream"),
    ("replicate", "logs:PutLogEvents"),
    ("replicate", "sqs:DeleteMessage"),
    ("replicate", "sqs:GetQueueAttributes"),
    ("replicate", "sqs:ReceiveMessage"),
];

/// What decides about answers: who may not list a bucket is not told that an object is missing, but that it is forbidden.
/// MiniStack says that it is missing whoever asks.
const LIST: &str = "s3:ListBucket";

/// What MiniStack wrote down. What was done as a copy of a role, with things of a test's own, was done as the role.
fn used() -> BTreeSet<Permission> {
    let file = std::env::var("LONGSHORE_ROLES_FILE").expect("cargo xtask test says where it is");
    let text = std::fs::read_to_string(file).unwrap();
    let copies: BTreeMap<String, Copy> = copies()
        .into_iter()
        .map(|copy| (copy.role.clone(), copy))
        .collect();
    let read = |line: &str| {
        let used: Value = serde_json::from_str(line).unwrap();
        let member = |name: &str| used[name].as_str().unwrap().to_owned();
        let (mut role, action, mut resource) = (member("role"), member("action"), member("resource"));
        if let Some(copy) = copies.get(&role) {
            name_of(&copy.of).clone_into(&mut role);
            for (of_stack, of_test) in &copy.swapped {
                resource = resource.replace(of_test, of_stack);
            }
        }
        (role, action, resource)
    };
    text.lines().map(read).collect()
}

fn name_of(role: &str) -> &str {
    role.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn every_permission_is_used() {
    if stack().is_localstack() {
        // It enforces no roles.
        return;
    }
    let used = used();
    let (mut granted, mut unused) = (0, Vec::new());
    for function in stack().functions.keys() {
        let role = deployed(function).await.role;
        for (action, resource) in permissions(&role).await {
            assert!(!action.contains('*'), "{function}: {action}");
            // The objects, and the streams of a log group.
            let name = resource.trim_end_matches("/*").trim_end_matches(":*");
            assert!(!name.contains('*'), "{function}: {resource}");
            granted += 1;
            let not_asked = action == LIST || NOT_ASKED.contains(&(function.as_str(), action.as_str()));
            let permission = (name_of(&role).to_owned(), action, resource);
            if !not_asked && !used.contains(&permission) {
                unused.push(format!("{function}: {} on {}", permission.1, permission.2));
            }
        }
    }
    println!("{granted} permissions, {} used", used.len());
    assert!(granted > 100, "{granted}");
    assert!(
        unused.is_empty(),
        "allowed, and never done:\n{}",
        unused.join("\n")
    );
}

/// SAM attaches to each role a policy of AWS's that may create and write every log group of the account. Their boundary has only ours.
#[tokio::test]
async fn no_role_reaches_beyond_the_stack() {
    if stack().is_localstack() {
        return;
    }
    for function in stack().functions.keys() {
        let credentials = credentials_of(&deployed(function).await.role).await;
        let url = format!("{}/", stack().url_of("logs"));
        let headers = [
            ("x-amz-target", "Logs_20140328.CreateLogGroup"),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let body = json!({ "logGroupName": format!("somebody-elses-{function}") }).to_string();
        let signed = signature(&credentials, "logs", "POST", &url, &headers, body.as_bytes());
        let mut all = headers.to_vec();
        all.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = send("POST", &url, &all, body).await;
        assert!(
            answer.status >= 400 && answer.text().contains("AccessDenied"),
            "{function}: {} {}",
            answer.status,
            answer.text()
        );
    }
}
