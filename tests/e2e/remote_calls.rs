//! What each endpoint asks of AWS, as `docs/remote-calls.md` says. The page cannot lie: this test compares.
//!
//! With `LONGSHORE_WRITE_DOCS=1` it writes the table instead.

use crate::harness::audit;
use crate::harness::bytes::{PART, fresh};
use crate::harness::person::{PASSWORD, Person, content_id, new_username};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::{root, stack};
use domain::content::PartDigest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- The table is held by tests/e2e/remote_calls.rs. -->\n";

/// The functions behind the gateway. Those that are not are no endpoints.
const ENDPOINTS: [(&str, &str); 14] = [
    ("account-create", "POST /v1/accounts"),
    ("account-get", "GET /v1/account"),
    ("session-create", "POST /v1/sessions"),
    ("upload-create", "POST /v1/uploads"),
    ("upload-list", "GET /v1/uploads"),
    ("upload-get", "GET /v1/uploads/{id}"),
    ("upload-sign-parts", "POST /v1/uploads/{id}/parts"),
    ("upload-complete", "POST /v1/uploads/{id}/complete"),
    ("upload-abort", "DELETE /v1/uploads/{id}"),
    ("folder-create", "POST /v1/folders"),
    ("file-list", "GET /v1/files"),
    ("file-get", "GET /v1/files/{id}"),
    ("file-download", "GET /v1/files/{id}/content"),
    ("file-delete", "DELETE /v1/files/{id}"),
];
const NO_ENDPOINTS: [&str; 2] = ["replicate", "sweep"];

/// A request whose calls are counted.
struct Request<'a> {
    function: &'a str,
    case: &'a str,
    id: Option<&'a str>,
    query: Option<(&'a str, &'a str)>,
    body: Option<Value>,
}

fn request<'a>(function: &'a str, case: &'a str) -> Request<'a> {
    Request {
        function,
        case,
        id: None,
        query: None,
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

    fn body(self, body: Value) -> Self {
        let body = Some(body);
        Self { body, ..self }
    }
}

/// The table, line by line.
struct Table {
    person: Person,
    lines: String,
    seen: BTreeSet<String>,
}

impl Table {
    /// Sends a request to a function that has started already, and notes what it asks of AWS.
    async fn note(&mut self, request: Request<'_>) {
        let Request {
            function,
            case,
            id,
            query,
            body,
        } = request;
        let (_, endpoint) = ENDPOINTS.iter().find(|(name, _)| *name == function).unwrap();
        let (method, path) = endpoint.split_once(' ').unwrap();
        let mut event = http_event(method, path, id, &self.person.token, body.as_ref());
        if let Some((name, value)) = query {
            event["queryStringParameters"] = json!({ name: value });
            event["multiValueQueryStringParameters"] = json!({ name: [value] });
        }
        let mut sandbox = Sandbox::start(function, |_| Act::Pass).await;
        sandbox.ready().await;
        // What it asks to start is asked once for thousands of requests.
        let start = sandbox.proxy.operations();
        let expected: &[&str] = match function {
            "account-create" => &[],
            _ => &["SecretsManager GetSecretValue"],
        };
        assert_eq!(start, expected, "{function}");
        sandbox.proxy.forget();
        let answer = sandbox.invoke(&event).await.unwrap();
        let status = answer["statusCode"].as_u64().unwrap();
        assert!((200..400).contains(&status), "{endpoint}: {answer}");
        let calls = sandbox.proxy.operations();
        let (count, calls) = (calls.len(), calls.join(", "));
        writeln!(self.lines, "| `{endpoint}` | {case} | {count} | {calls} |").unwrap();
        self.seen.insert(function.to_owned());
    }

    async fn accounts(&mut self) {
        let username = self.person.username.clone();
        let new = json!({ "username": new_username(), "password": PASSWORD });
        self.note(request("account-create", "").body(new)).await;
        let known = json!({ "username": username, "password": PASSWORD });
        self.note(request("session-create", "").body(known)).await;
        self.note(request("account-get", "")).await;
    }

    /// Leaves a file called `new`.
    async fn uploads(&mut self) {
        let bytes = fresh(PART + 1);
        let new = |name: &str| json!({ "name": name, "size": bytes.len(), "content_id": content_id(&bytes) });
        self.note(request("upload-create", "new content").body(new("new")))
            .await;
        let upload = self.person.api.all_uploads().await.unwrap().remove(0).id;
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
        let instant = request("upload-create", "content that the account has");
        self.note(instant.body(new("instant"))).await;
        let aborted = self.person.sent("aborted", &fresh(10)).await.id;
        self.note(request("upload-abort", "").id(&aborted)).await;
    }

    async fn files(&mut self) {
        let body = json!({ "name": "folder" });
        self.note(request("folder-create", "").body(body)).await;
        let folder = self.person.api.find(None, "folder").await.unwrap().unwrap().id;
        let file = self.person.api.find(None, "new").await.unwrap().unwrap().id;
        self.note(request("file-list", "the top")).await;
        self.note(request("file-list", "a folder").query("parent", &folder))
            .await;
        self.note(request("file-list", "one name").query("name", "new"))
            .await;
        self.note(request("file-get", "a file").id(&file)).await;
        self.note(request("file-get", "a folder").id(&folder)).await;
        self.note(request("file-download", "").id(&file)).await;
        self.note(request("file-delete", "a file").id(&file)).await;
        self.note(request("file-delete", "a folder").id(&folder)).await;
    }
}

async fn measured() -> String {
    let mut table = Table {
        person: Person::new().await,
        lines: String::new(),
        seen: BTreeSet::from(NO_ENDPOINTS.map(str::to_owned)),
    };
    table.accounts().await;
    table.uploads().await;
    table.files().await;
    audit::account(&table.person).await;
    let deployed: BTreeSet<String> = stack().functions.keys().cloned().collect();
    assert_eq!(table.seen, deployed, "every endpoint has its lines");
    format!(
        "\n| endpoint | case | calls | which |\n|---|---|---|---|\n{}",
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
