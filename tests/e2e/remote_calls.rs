//! What each endpoint asks of AWS, as `docs/remote-calls.md` says. The page cannot lie: this test compares.
//!
//! With `LONGSHORE_WRITE_DOCS=1` it writes the table instead.

use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person, content_id};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event};
use crate::harness::stack::root;
use crate::harness::{audit, bytes::PART};
use domain::content::PartDigest;
use serde_json::{Value, json};
use std::fmt::Write as _;

const BEGIN: &str = "<!-- The table is held by tests/e2e/remote_calls.rs. -->\n";

/// One line of the table.
struct Line {
    endpoint: String,
    case: &'static str,
    calls: Vec<String>,
}

struct Table {
    person: Person,
    lines: Vec<Line>,
}

impl Table {
    /// Calls an endpoint on a function that has started already, and notes what it asks of AWS.
    async fn note(
        &mut self,
        function: &str,
        endpoint: &str,
        case: &'static str,
        id: Option<&str>,
        body: Option<Value>,
    ) {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let mut event = http_event(
            method,
            path.split('?').next().unwrap(),
            id,
            &self.person.token,
            body.as_ref(),
        );
        if let Some((name, value)) = path.split_once('?').and_then(|(_, query)| query.split_once('=')) {
            event["queryStringParameters"] = json!({ name: value });
            event["multiValueQueryStringParameters"] = json!({ name: [value] });
        }
        let mut sandbox = Sandbox::start(function, |_| Act::Pass).await;
        sandbox.ready().await;
        // What it asked to start is asked once for thousands of requests.
        let start = sandbox.proxy.operations();
        let expected: &[&str] = if function == "account-create" {
            &[]
        } else {
            &["SecretsManager GetSecretValue"]
        };
        assert_eq!(start, expected, "{function}");
        sandbox.proxy.forget();
        let answer = sandbox.invoke(&event).await.unwrap();
        let status = answer["statusCode"].as_u64().unwrap();
        assert!((200..400).contains(&status), "{endpoint}: {answer}");
        self.lines.push(Line {
            endpoint: endpoint.to_owned(),
            case,
            calls: sandbox.proxy.operations(),
        });
    }

    fn text(&self) -> String {
        let mut text = "| endpoint | case | calls | which |\n|---|---|---|---|\n".to_owned();
        for Line {
            endpoint,
            case,
            calls,
        } in &self.lines
        {
            writeln!(
                text,
                "| `{endpoint}` | {case} | {} | {} |",
                calls.len(),
                calls.join(", ")
            )
            .unwrap();
        }
        text
    }
}

async fn measured() -> String {
    let person = Person::new().await;
    let username = person.username.clone();
    let mut table = Table {
        person,
        lines: Vec::new(),
    };
    let credentials = |username: &str| Some(json!({ "username": username, "password": PASSWORD }));
    let new_name = format!("{username}-2");
    table
        .note(
            "account-create",
            "POST /v1/accounts",
            "",
            None,
            credentials(&new_name),
        )
        .await;
    table
        .note(
            "session-create",
            "POST /v1/sessions",
            "",
            None,
            credentials(&username),
        )
        .await;
    table.note("account-get", "GET /v1/account", "", None, None).await;

    let bytes = fresh(PART + 1);
    let new =
        |name: &str, content_id| Some(json!({ "name": name, "size": PART + 1, "content_id": content_id }));
    table
        .note(
            "upload-create",
            "POST /v1/uploads",
            "new content",
            None,
            new("new", Some(content_id(&bytes))),
        )
        .await;
    let upload = table.person.api.all_uploads().await.unwrap().remove(0).id;
    table.note("upload-list", "GET /v1/uploads", "", None, None).await;
    let digests = [PartDigest::of(&bytes[..PART]), PartDigest::of(&bytes[PART..])];
    let parts =
        json!({ "parts": [{ "number": 1, "sha256": digests[0] }, { "number": 2, "sha256": digests[1] }] });
    let sign = "POST /v1/uploads/{id}/parts";
    table
        .note(
            "upload-sign-parts",
            sign,
            "the first parts",
            Some(&upload),
            Some(parts.clone()),
        )
        .await;
    table
        .note(
            "upload-sign-parts",
            sign,
            "more parts",
            Some(&upload),
            Some(parts),
        )
        .await;
    table.person.send_parts(&upload, &bytes, [1, 2]).await;
    table
        .note("upload-get", "GET /v1/uploads/{id}", "open", Some(&upload), None)
        .await;
    let complete = "POST /v1/uploads/{id}/complete";
    table
        .note("upload-complete", complete, "new content", Some(&upload), None)
        .await;
    table
        .note("upload-complete", complete, "again", Some(&upload), None)
        .await;
    table
        .note(
            "upload-get",
            "GET /v1/uploads/{id}",
            "complete",
            Some(&upload),
            None,
        )
        .await;
    let known = table.person.sent("known", &bytes).await.id;
    table
        .note("upload-complete", complete, "known content", Some(&known), None)
        .await;
    table
        .note(
            "upload-create",
            "POST /v1/uploads",
            "the account's own content",
            None,
            new("instant", Some(content_id(&bytes))),
        )
        .await;
    let aborted = table.person.sent("aborted", &fresh(10)).await.id;
    table
        .note(
            "upload-abort",
            "DELETE /v1/uploads/{id}",
            "",
            Some(&aborted),
            None,
        )
        .await;

    table
        .note(
            "folder-create",
            "POST /v1/folders",
            "",
            None,
            Some(json!({ "name": "folder" })),
        )
        .await;
    let folder = table.person.api.find(None, "folder").await.unwrap().unwrap().id;
    let file = table.person.api.find(None, "new").await.unwrap().unwrap().id;
    table
        .note("file-list", "GET /v1/files", "the top", None, None)
        .await;
    table
        .note(
            "file-list",
            &format!("GET /v1/files?parent={folder}"),
            "a folder",
            None,
            None,
        )
        .await;
    table
        .note("file-list", "GET /v1/files?name=new", "one name", None, None)
        .await;
    table
        .note("file-get", "GET /v1/files/{id}", "a file", Some(&file), None)
        .await;
    table
        .note(
            "file-download",
            "GET /v1/files/{id}/content",
            "",
            Some(&file),
            None,
        )
        .await;
    table
        .note(
            "file-delete",
            "DELETE /v1/files/{id}",
            "a file",
            Some(&file),
            None,
        )
        .await;
    table
        .note(
            "file-delete",
            "DELETE /v1/files/{id}",
            "a folder",
            Some(&folder),
            None,
        )
        .await;
    audit::account(&table.person).await;
    table.text().replace(&folder, "{id}")
}

#[tokio::test]
async fn the_documented_remote_calls_are_the_real_ones() {
    let path = root().join("docs/remote-calls.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, documented) = page.split_once(BEGIN).expect("the page has its table");
    let measured = format!("\n{}", measured().await);
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
