//! The table of calls: what a function is asked for, and what it asks of AWS.

use bytes::Bytes;
use serde_json::Value;
use simulation::cloud::{AWS, Assumptions, Call};
use simulation::gateway::{Request, send};
use simulation::person::Person;
use simulation::world::World;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use wire::Caller;

/// Each call takes as long as each other: what is sent at one moment goes on at the same time, and the moments are how many are made one
/// after the other.
pub(crate) const EACH_THE_SAME: Assumptions = {
    let call = Duration::from_millis(2);
    Assumptions {
        dynamodb: call,
        s3: call,
        others: call,
        target: call,
        bytes_per_second: u32::MAX,
        computing: Duration::ZERO,
    }
};

/// A request whose calls are counted.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    function: &'a str,
    case: &'a str,
    id: Option<&'a str>,
    query: &'a str,
    key: Option<String>,
    body: Option<Value>,
}

pub(crate) fn asked<'a>(function: &'a str, case: &'a str) -> Asked<'a> {
    Asked {
        function,
        case,
        ..Asked::default()
    }
}

impl<'a> Asked<'a> {
    pub(crate) fn id(self, id: &'a str) -> Self {
        let id = Some(id);
        Self { id, ..self }
    }

    pub(crate) fn query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    /// With an `Idempotency-Key`.
    pub(crate) fn key(self, key: impl Into<String>) -> Self {
        let key = Some(key.into());
        Self { key, ..self }
    }

    pub(crate) fn body(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

/// The tables, line by line.
pub(crate) struct Table<'w> {
    pub(crate) world: &'w World,
    /// Whether lines are written. Everything is done twice, and recorded the second time: by then all functions have started.
    pub(crate) recording: bool,
    requests: String,
    triggers: String,
    seen: BTreeSet<String>,
    /// Whatever is to be unlike all others.
    number: Cell<u32>,
}

impl<'w> Table<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            recording: false,
            requests: String::new(),
            triggers: String::new(),
            seen: BTreeSet::new(),
            number: Cell::new(0),
        }
    }

    /// The functions that have lines.
    pub(crate) fn seen(&self) -> &BTreeSet<String> {
        &self.seen
    }

    pub(crate) fn text(&self) -> String {
        const COLUMNS: &str = "function | case | calls | in a row | which |\n|---|---|---|---|---|---|\n";
        let Self {
            requests, triggers, ..
        } = self;
        format!(
            "| endpoint | {COLUMNS}{requests}\nFunctions without an endpoint:\n\n| invoked by | {COLUMNS}{triggers}"
        )
    }

    /// A name that nobody has.
    pub(crate) fn new_name(&self) -> String {
        self.number.set(self.number.get() + 1);
        format!("somebody-{}", self.number.get())
    }

    /// Bytes that nobody has.
    pub(crate) fn fresh(&self, size: usize) -> Bytes {
        self.number.set(self.number.get() + 1);
        let mut bytes = self.number.get().to_be_bytes().repeat(size.div_ceil(4));
        bytes.truncate(size);
        bytes.into()
    }

    /// Somebody new, signed in.
    pub(crate) async fn person(&self) -> Person<'w> {
        let person = Person::sign_up(self.world, &self.new_name()).await;
        person.expect("an account").patient()
    }

    /// Sends a request to a function, and notes what that asks of AWS. Returns the body of the answer.
    pub(crate) async fn note(&mut self, person: &Person<'_>, asked: Asked<'_>) -> Value {
        let Asked {
            function,
            case,
            id,
            query,
            key,
            body,
        } = asked;
        let endpoint = wire::endpoint(function).expect("an endpoint");
        let path = endpoint.path.replace("{id}", id.unwrap_or_default());
        let request = person.request(endpoint.method, format!("{path}?{query}"), body);
        let is_known = !matches!(endpoint.caller, Caller::Anybody);
        let request = Request {
            token: request.token.filter(|_| is_known),
            key,
            ..request
        };
        let before = self.world.cloud.calls().len();
        let answer = send(&self.world.lambda, &request).await;
        assert!((200..400).contains(&answer.status), "{function}: {answer:?}");
        let calls = self.world.cloud.calls().split_off(before);
        let endpoint = format!("`{} {}`", endpoint.method, endpoint.path);
        if let Some(line) = self.line(&endpoint, function, case, &calls) {
            self.requests.push_str(&line);
        }
        answer.body
    }

    /// Notes the calls of a function that something else invoked.
    pub(crate) fn note_trigger(&mut self, by: &str, function: &str, case: &str, calls: &[Call]) {
        if let Some(line) = self.line(by, function, case, calls) {
            self.triggers.push_str(&line);
        }
    }

    fn line(&mut self, by: &str, function: &str, case: &str, calls: &[Call]) -> Option<String> {
        if !self.recording {
            return None;
        }
        self.seen.insert(function.to_owned());
        assert!(calls.iter().all(|call| call.function == function), "{calls:?}");
        let (row, words) = in_words(calls);
        let mut line = String::new();
        let _ = writeln!(
            line,
            "| {by} | `{function}` | {case} | {} | {row} | {words} |",
            calls.len()
        );
        Some(line)
    }
}

/// How many calls are made one after the other, and all of them in words.
fn in_words(calls: &[Call]) -> (usize, String) {
    let moments: Vec<_> = calls
        .chunk_by(|one, next| one.at == next.at)
        .map(|together| {
            let mut names: Vec<_> = together.iter().map(name).collect();
            names.sort_unstable();
            let same = names.chunk_by(|one, next| one == next);
            let words = same.map(|same| match (same.len(), &same[0]) {
                (1, name) => name.clone(),
                (many, name) => format!("{many} × {name}"),
            });
            words.collect::<Vec<_>>().join(" + ")
        })
        .collect();
    (moments.len(), moments.join(", "))
}

/// Service and operation. Those of targets are not S3's.
fn name(call: &Call) -> String {
    let aws = AWS.trim_start_matches("http://");
    match call.operation.strip_prefix("S3 ") {
        Some(operation) if !call.to.starts_with(aws) => format!("target {operation}"),
        _ => call.operation.clone(),
    }
}
