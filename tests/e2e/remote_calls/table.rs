//! The table of calls: a request to each function, and what it asks of AWS.

use crate::harness::aws;
use crate::harness::bytes::unique;
use crate::harness::person::Person;
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event, with_header};
use crate::harness::stack::stack;
use crate::harness::workers::Queues;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// From how many on the same calls one after the other are written as a number.
const MANY: usize = 5;

/// A request whose calls are counted.
pub(super) struct Request<'a> {
    pub(super) function: &'a str,
    pub(super) case: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) query: Option<(&'a str, &'a str)>,
    pub(super) key: Option<&'a str>,
    pub(super) body: Option<Value>,
}

pub(super) fn request<'a>(function: &'a str, case: &'a str) -> Request<'a> {
    Request {
        function,
        case,
        id: None,
        query: None,
        key: None,
        body: None,
    }
}

impl<'a> Request<'a> {
    pub(super) fn id(self, id: &'a str) -> Self {
        let id = Some(id);
        Self { id, ..self }
    }

    pub(super) fn query(self, name: &'a str, value: &'a str) -> Self {
        let query = Some((name, value));
        Self { query, ..self }
    }

    /// With an `Idempotency-Key`.
    pub(super) fn key(self, key: &'a str) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    pub(super) fn body(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

/// The calls as the table has them.
fn in_words(calls: &[String]) -> String {
    let runs = calls.chunk_by(|one, next| one == next);
    let words = runs.map(|run| match run.len() {
        MANY.. => format!("{} × {}", run.len(), run[0]),
        _ => run.join(", "),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What functions know of the targets, in a row of its own: that of the stack is changed by other tests all the time. It has
/// the stack's targets, without policies.
pub(super) struct TargetRegistry {
    pub(super) pk: String,
}

impl TargetRegistry {
    pub(super) async fn new() -> Self {
        let pk = format!("TARGETS-{:x}", unique());
        let member = |target: &Value| {
            json!({
                "name": target["name"], "kind": target["kind"], "status": "active", "only_by_policy": false,
            })
        };
        let members: Vec<Value> = stack().targets.iter().map(member).collect();
        aws::put(&json!({
            "pk": pk, "sk": "TARGETS", "members": members, "policies": [],
            "changed_at": "2026-01-02T03:04:05Z", "version": 1,
        }))
        .await;
        Self { pk }
    }

    /// Lets a function read this row instead of the other.
    fn shown_to(&self, function: &Sandbox) {
        let pk = self.pk.clone();
        function.proxy.on_send(move |seen| {
            let mut request = seen.json()?;
            let is_target_registry = request["Key"]["pk"]["S"] == "TARGETS";
            request["Key"]["pk"]["S"] = json!(pk);
            is_target_registry.then_some(request)
        });
    }
}

/// The table, line by line.
pub(super) struct Table {
    pub(super) person: Person,
    pub(super) target_registry: TargetRegistry,
    /// Queues that nobody else uses.
    pub(super) queues: Queues,
    pub(super) lines: String,
    pub(super) seen: BTreeSet<String>,
}

impl Table {
    /// Sends a request to a function that has started already, and notes what it asks of AWS. Returns the body of the
    /// answer.
    pub(super) async fn note(&mut self, request: Request<'_>) -> Value {
        let Request {
            function,
            case,
            id,
            query,
            key,
            body,
        } = request;
        let endpoint = wire::endpoint(function).unwrap();
        let mut event = http_event(function, id, &self.person.token, body.as_ref());
        if let Some((name, value)) = query {
            event["queryStringParameters"] = json!({ name: value });
            event["multiValueQueryStringParameters"] = json!({ name: [value] });
        }
        if let Some(key) = key {
            event = with_header(event, "Idempotency-Key", key);
        }
        let queues = self.queues.environment();
        // Other tests' dead letters are none of its business. What others send must be worked on.
        let environment = if function == "target-redrive" {
            &queues[..]
        } else {
            &[]
        };
        let mut sandbox = Sandbox::start_with(function, |_| Act::Pass, environment).await;
        sandbox.ready().await;
        // What it asks to start is asked once for thousands of requests.
        let start = sandbox.proxy.operations();
        // The key that tokens are checked with, and signed.
        let expected: &[&str] = match function {
            "account-create" | "account-reset-password" => &[],
            _ => &["SecretsManager GetSecretValue"],
        };
        assert_eq!(start, expected, "{function}");
        sandbox.proxy.forget();
        self.target_registry.shown_to(&sandbox);
        let answer = sandbox.invoke(&event).await.unwrap();
        // As this is: the first request of a function looks whether it understands the table.
        assert_ne!(sandbox.proxy.format_reads(), 0, "{function}");
        let status = answer["statusCode"].as_u64().unwrap();
        assert!((200..400).contains(&status), "{function}: {answer}");
        // Calls, not attempts: one that a busy emulator does not answer in time is sent again.
        let calls = sandbox.proxy.seen().into_iter();
        let calls = calls.filter(|seen| seen.attempt == 1).map(|seen| seen.operation);
        let calls: Vec<String> = calls.collect();
        let (count, calls) = (calls.len(), in_words(&calls));
        let (method, path) = (endpoint.method, endpoint.path);
        writeln!(
            self.lines,
            "| `{method} {path}` | `{function}` | {case} | {count} | {calls} |"
        )
        .unwrap();
        self.seen.insert(function.to_owned());
        serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default()
    }
}
