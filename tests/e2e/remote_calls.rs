//! What each endpoint asks of AWS, as `docs/remote-calls.md` says. The page cannot lie: this test compares.
//!
//! With `LONGSHORE_WRITE_DOCS=1` it writes the table instead.

use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::{PART, fresh, unique};
use crate::harness::person::{PASSWORD, Person, content_id, invitation, new_username, session_of};
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event, with_header};
use crate::harness::stack::{root, stack};
use crate::harness::targets;
use crate::harness::wait::until;
use crate::harness::workers::Queues;
use client::types::ReplicaState;
use domain::content::PartDigest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use wire::Caller;

const BEGIN: &str = "<!-- The table is held by tests/e2e/remote_calls.rs. -->\n";

/// An endpoint, but one that calls nothing.
const CALLS_NOTHING: &str = "openapi-get";
/// From how many on the same calls one after the other are written as a number.
const MANY: usize = 5;

/// A request whose calls are counted.
struct Request<'a> {
    function: &'a str,
    case: &'a str,
    id: Option<&'a str>,
    query: Option<(&'a str, &'a str)>,
    key: Option<&'a str>,
    body: Option<Value>,
}

fn request<'a>(function: &'a str, case: &'a str) -> Request<'a> {
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
    fn id(self, id: &'a str) -> Self {
        let id = Some(id);
        Self { id, ..self }
    }

    fn query(self, name: &'a str, value: &'a str) -> Self {
        let query = Some((name, value));
        Self { query, ..self }
    }

    /// With an `Idempotency-Key`.
    fn key(self, key: &'a str) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    fn body(self, body: Value) -> Self {
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
struct TargetRegistry {
    pk: String,
}

impl TargetRegistry {
    async fn new() -> Self {
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
struct Table {
    person: Person,
    target_registry: TargetRegistry,
    /// Queues that nobody else uses.
    queues: Queues,
    lines: String,
    seen: BTreeSet<String>,
}

impl Table {
    /// Sends a request to a function that has started already, and notes what it asks of AWS. Returns the body of the
    /// answer.
    async fn note(&mut self, request: Request<'_>) -> Value {
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

    async fn accounts(&mut self) {
        let username = self.person.username.clone();
        let new = json!({ "username": new_username(), "password": PASSWORD });
        self.note(request("account-create", "").body(new)).await;
        let code = invitation(&json!({ "action": "create" })).await.code;
        let new = json!({ "username": new_username(), "password": PASSWORD, "invitation": code });
        self.note(request("account-create", "by invitation").body(new))
            .await;
        let known = json!({ "username": username, "password": PASSWORD });
        let session = self.note(request("session-create", "").body(known)).await;
        let refresh = json!({ "refresh_token": session["refresh_token"] });
        for case in ["", "the same again"] {
            self.note(request("session-refresh", case).body(refresh.clone()))
                .await;
        }
        let token = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
        let token = self.note(request("token-create", "").body(token)).await;
        let id = token["id"].as_str().unwrap();
        self.note(request("token-delete", "").id(id)).await;
    }

    /// What ends sessions: of somebody else each time.
    async fn endings(&mut self) {
        let body = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
        self.note(request("account-set-password", "").body(body)).await;
        let other = self.person.sign_in().await;
        let other = session_of(&other);
        self.note(request("session-revoke", "").id(&other)).await;
        self.note(request("session-delete", "")).await;
        self.person = Person::new().await;
        let code = self.person.password_code().await;
        let body = json!({ "username": self.person.username, "code": code, "password": PASSWORD });
        self.note(request("account-reset-password", "").body(body)).await;
        self.person = Person::new().await;
        self.note(request("session-delete-all", "")).await;
        self.person = Person::new().await;
        let body = json!({ "current_password": PASSWORD });
        self.note(request("account-delete", "").body(body)).await;
    }

    /// Leaves a file called `new`.
    async fn uploads(&mut self) {
        let bytes = fresh(PART + 1);
        let new = |name: &str| json!({ "name": name, "size": bytes.len(), "content_id": content_id(&bytes) });
        let unsaid = json!({ "name": "unsaid", "size": bytes.len() });
        let create = |case| request("upload-create", case);
        let unsaid = self.note(create("content not announced").body(unsaid)).await;
        let unsaid = unsaid["id"].as_str().unwrap();
        self.person.api.abort_upload(unsaid).await.unwrap();
        let upload = self.note(create("new content").body(new("new"))).await;
        let upload = upload["id"].as_str().unwrap().to_owned();
        self.note(request("upload-list", "")).await;
        let part = |number: u32, bytes: &[u8]| json!({ "number": number, "sha256": PartDigest::of(bytes) });
        let parts = json!({ "parts": [part(1, &bytes[..PART]), part(2, &bytes[PART..])] });
        let sign = |case| request("upload-sign-parts", case).id(&upload).body(parts.clone());
        self.note(sign("the first parts")).await;
        self.note(sign("more parts")).await;
        self.person.send_parts(&upload, &bytes, [1, 2]).await;
        self.note(request("upload-get", "open").id(&upload)).await;
        self.note(request("upload-complete", "new content").id(&upload))
            .await;
        self.note(request("upload-complete", "again").id(&upload)).await;
        self.note(request("upload-get", "complete").id(&upload)).await;
        let known = self.person.sent("known", &bytes).await.id;
        self.note(request("upload-complete", "known content").id(&known))
            .await;
        let moved = self.person.sent("moved", &bytes).await.id;
        let complete = request("upload-complete", "known content, by another name").id(&moved);
        self.note(complete.body(json!({ "name": "elsewhere" }))).await;
        for (case, on_conflict) in [
            ("content that the account has", "fail"),
            ("content that the account has, renamed", "rename"),
            (
                "content that the account has, in the place of another file",
                "replace",
            ),
        ] {
            let mut body = new("instant");
            body["on_conflict"] = json!(on_conflict);
            self.note(create(case).body(body)).await;
        }
        let aborted = self.person.sent("aborted", &fresh(10)).await.id;
        self.note(request("upload-abort", "").id(&aborted)).await;
    }

    /// Bytes that somebody else has.
    async fn proofs(&mut self) {
        let other = Person::new().await;
        for (case, on_conflict) in [
            ("right", "fail"),
            ("right, renamed", "rename"),
            ("right, in the place of another file", "replace"),
            ("wrong", "fail"),
        ] {
            let bytes = fresh(PROVABLE);
            other.store(case, None, &bytes).await;
            if on_conflict != "fail" {
                self.person.store(case, None, &fresh(10)).await;
            }
            let body = json!({
                "name": case, "size": bytes.len(), "content_id": content_id(&bytes), "on_conflict": on_conflict,
            });
            let upload = if case == "right" {
                let create = request("upload-create", "content that another account has");
                self.note(create.body(body)).await
            } else {
                self.person.call("POST", "/uploads", Some(&body)).await.json()
            };
            let has = if case == "wrong" { fresh(PROVABLE) } else { bytes };
            let proof = json!({ "proof": proof_of(&upload["challenge"], &has) });
            let id = upload["id"].as_str().unwrap();
            let answered = self.note(request("upload-prove", case).id(id).body(proof)).await;
            let state = if case == "wrong" { "open" } else { "complete" };
            assert_eq!(answered["state"], state, "{case}: {answered}");
        }
    }

    /// Creates that can be sent again.
    async fn keys(&mut self) {
        for (function, body) in [
            ("upload-create", json!({ "name": "keyed", "size": 10 })),
            ("folder-create", json!({ "name": "keyed" })),
        ] {
            let create = |case| request(function, case).key("again").body(body.clone());
            let first = self.note(create("with an `Idempotency-Key`")).await;
            assert_eq!(self.note(create("with an `Idempotency-Key`, again")).await, first);
        }
    }

    async fn files(&mut self) {
        let body = json!({ "name": "folder" });
        self.note(request("folder-create", "").body(body)).await;
        let body = json!({ "name": "folder", "on_conflict": "rename" });
        self.note(request("folder-create", "renamed").body(body)).await;
        let folder = self.person.api.find(None, "folder").await.unwrap().unwrap().id;
        let file = self.person.api.find(None, "new").await.unwrap().unwrap().id;
        self.note(request("file-list", "the top")).await;
        self.note(request("file-list", "a folder").query("parent", &folder))
            .await;
        self.note(request("file-list", "one name").query("name", "new"))
            .await;
        self.note(request("file-get", "a file").id(&file)).await;
        self.note(request("file-get", "a folder").id(&folder)).await;
        self.other_reads(&file).await;
        self.download_of_lost_bytes().await;
        self.note(request("file-delete", "a file").id(&file)).await;
        self.note(request("file-delete", "a folder").id(&folder)).await;
    }

    /// What reads, and has no cases above: once each.
    async fn other_reads(&mut self, file: &str) {
        for endpoint in wire::ENDPOINTS.iter() {
            let is_for_everybody = !matches!(endpoint.caller, Caller::Operator(_));
            if endpoint.method == "GET" && is_for_everybody && !self.seen.contains(endpoint.function) {
                let id = endpoint.path.starts_with("/v1/files/{id}").then_some(file);
                let request = request(endpoint.function, "");
                self.note(Request { id, ..request }).await;
            }
        }
    }

    /// The file is at the targets, and gone from the primary store.
    async fn download_of_lost_bytes(&mut self) {
        let file = self.person.store("lost", None, &fresh(10)).await.file;
        until("it is copied", async || {
            let replicas = self.person.api.file(&file.id).await.unwrap().replicas.unwrap();
            let there = replicas
                .iter()
                .all(|replica| replica.state == ReplicaState::Available);
            there.then_some(())
        })
        .await;
        let row = aws::item(&self.person.partition(), &format!("NODE#{}", file.id))
            .await
            .unwrap();
        aws::lose_object(&format!("blobs/{}", row["file"]["blob"].as_str().unwrap())).await;
        for case in [
            "the object is gone, and nobody has noticed",
            "the object is known to be gone",
        ] {
            self.note(request("file-download", case).id(&file.id)).await;
        }
    }

    /// For operators.
    async fn targets(&mut self) {
        self.person.become_operator().await;
        let target_registry = aws::item(&self.target_registry.pk, "TARGETS").await.unwrap();
        let one = &target_registry["members"][0];
        let members = |members: &[&Value]| json!({ "members": members });
        // The page must not depend on how many the stack has.
        aws::set(&self.target_registry.pk, "TARGETS", &members(&[one])).await;
        self.note(request("target-list", "one target")).await;
        let target = targets::new_name("nothing");
        let mine = json!({
            "name": target, "kind": "ceph", "status": "active", "only_by_policy": true,
        });
        aws::set(&self.target_registry.pk, "TARGETS", &members(&[one, &mine])).await;
        self.note(request("target-redrive", "nothing failed, no dead letters").id(&target))
            .await;
    }
}

async fn measured() -> String {
    let mut table = Table {
        person: Person::new().await,
        target_registry: TargetRegistry::new().await,
        queues: Queues::new().await,
        lines: format!("| `GET /v1/openapi.json` | `{CALLS_NOTHING}` |  | 0 |  |\n"),
        seen: BTreeSet::from([CALLS_NOTHING.to_owned()]),
    };
    table.accounts().await;
    table.uploads().await;
    table.proofs().await;
    table.keys().await;
    table.files().await;
    table.targets().await;
    audit::account(&table.person).await;
    table.endings().await;
    table.queues.delete().await;
    let endpoints = wire::ENDPOINTS
        .iter()
        .map(|endpoint| endpoint.function.to_owned());
    assert_eq!(
        table.seen,
        endpoints.collect::<BTreeSet<_>>(),
        "every endpoint has its lines"
    );
    format!(
        "\n| endpoint | function | case | calls | which |\n|---|---|---|---|---|\n{}",
        table.lines
    )
}

#[tokio::test]
async fn the_documented_remote_calls_are_the_real_ones() {
    let path = root().join("docs/remote-calls.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, documented) = page.split_once(BEGIN).expect("the page has its table");
    let measured = measured().await;
    if std::env::var_os("LONGSHORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{measured}")).unwrap();
        return;
    }
    for (documented, measured) in documented.lines().zip(measured.lines()) {
        assert_eq!(
            documented, measured,
            "run this test with LONGSHORE_WRITE_DOCS=1 if this is what it should be"
        );
    }
    assert_eq!(documented, measured);
}
