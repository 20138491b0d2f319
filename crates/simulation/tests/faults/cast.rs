//! Who is there in every world, and what is done to it besides what functions do.

use crate::settling::{SWEEP, work};
use bytes::Bytes;
use serde_json::{Value, json};
use simulation::gateway::{Request, Response, send};
use simulation::person::{PASSWORD, Person};
use simulation::world::{TABLE, World, run};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::sleep;

/// Two people with an account each, in a world in which there is nothing else yet.
pub(crate) struct Cast<'w> {
    pub(crate) world: &'w World,
    pub(crate) ada: Person<'w>,
    pub(crate) bob: Person<'w>,
    /// Ada's sessions at two machines, besides her personal token.
    pub(crate) sessions: &'static [Value; 2],
}

/// What is there in the beginning. It is made once: to hash passwords takes longer than all else.
pub(crate) struct Founding {
    items: Vec<Value>,
    people: [Known; 2],
    sessions: [Value; 2],
}

struct Known {
    username: String,
    id: String,
    token: String,
}

/// Tokens of one world are good in another.
fn share_signing_key(world: &World) {
    let now = world.cloud.now();
    let key = format!(r#"{{"current":"{:064x}"}}"#, 7);
    world.cloud.services().secrets.set("SigningSecret", &key, now);
}

async fn sign_up(world: &World, username: &str) -> Known {
    let person = Person::sign_up(world, username).await.expect("an account");
    let scopes = ["read", "upload", "admin"];
    let token = json!({ "name": "founding", "scopes": scopes, "expires_in_days": 30 });
    let token = person.call("POST", "/v1/tokens", Some(token)).await;
    Known {
        username: username.to_owned(),
        id: person.id,
        token: token.body["token"].as_str().expect("a token").to_owned(),
    }
}

/// Not to be called first in a world: it is made in one.
pub(crate) fn founding() -> &'static Founding {
    static FOUNDING: OnceLock<Founding> = OnceLock::new();
    FOUNDING.get_or_init(|| {
        run(1, async |world| {
            share_signing_key(world);
            work(world, SWEEP).await;
            let people = [sign_up(world, "ada").await, sign_up(world, "bob").await];
            let session = async || {
                let session = sign_in(world, "ada", PASSWORD).await;
                assert_eq!(session.status, 201, "{session:?}");
                session.body
            };
            let sessions = [session().await, session().await];
            Founding {
                items: world.items(),
                people,
                sessions,
            }
        })
    })
}

impl<'w> Cast<'w> {
    /// Puts them into a new world.
    pub(crate) async fn enter(world: &'w World, founding: &'static Founding) -> Self {
        let Founding {
            items,
            people: [ada, bob],
            sessions,
        } = founding;
        share_signing_key(world);
        for item in items {
            world.dynamodb("PutItem", &json!({ "TableName": TABLE, "Item": item }));
        }
        // Nothing that is there is of the future.
        sleep(Duration::from_secs(30)).await;
        let known = |known: &Known| Person::known(world, &known.username, &known.id, &known.token);
        Self {
            world,
            ada: known(ada),
            bob: known(bob),
            sessions,
        }
    }
}

/// Some bytes, of which no two are the same for different `what`.
pub(crate) fn bytes(what: u8, size: usize) -> Bytes {
    Bytes::from(vec![what; size])
}

/// Uploads a file, and returns its id.
pub(crate) async fn file_of(
    person: &Person<'_>,
    name: &str,
    parent: Option<&str>,
    content: &Bytes,
) -> String {
    let stored = person.store(name, parent, content, false, "rename").await;
    stored.expect("stored")
}

/// A text in an answer.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// Sends a request once.
pub(crate) async fn ask(world: &World, request: &Request) -> Response {
    send(&world.lambda, request).await
}

/// A request with a token of one's own, or none.
pub(crate) fn with_token(
    token: &Value,
    method: &'static str,
    path: impl Into<String>,
    body: Option<Value>,
) -> Request {
    Request {
        method,
        path: path.into(),
        token: token.as_str().map(str::to_owned),
        key: None,
        body,
    }
}

/// Signs in.
pub(crate) async fn sign_in(world: &World, username: &str, password: &str) -> Response {
    let credentials = json!({ "username": username, "password": password });
    ask(
        world,
        &with_token(&Value::Null, "POST", "/v1/sessions", Some(credentials)),
    )
    .await
}

/// Whether a token is good.
pub(crate) async fn is_good(world: &World, token: &Value) -> bool {
    let answer = ask(world, &with_token(token, "GET", "/v1/account", None)).await;
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

/// How many bytes of somebody's quota are used.
pub(crate) async fn used(person: &Person<'_>) -> u64 {
    let account = person.call("GET", "/v1/account", None).await;
    account.body["used_bytes"]
        .as_u64()
        .unwrap_or_else(|| panic!("{account:?}"))
}

/// What is in a folder, or the root.
pub(crate) async fn entries(person: &Person<'_>, folder: Option<&str>) -> Vec<Value> {
    let path = folder.map_or_else(|| "/v1/files".to_owned(), |id| format!("/v1/files?parent={id}"));
    items(person, &path).await
}

/// What a list has, on its first page.
pub(crate) async fn items(person: &Person<'_>, path: &str) -> Vec<Value> {
    let listed = person.call("GET", path, None).await;
    listed.body["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{path}: {listed:?}"))
        .clone()
}

/// A new folder.
pub(crate) async fn folder(person: &Person<'_>, name: &str, parent: Option<&str>) -> String {
    person.folder(name, parent).await.expect("made")
}

/// A file has one version, of so many bytes, which are used of the quota until it is removed: that is done.
pub(crate) async fn had_another_content(person: &Person<'_>, file: &str, size: u64) {
    let there = items(person, &format!("/v1/files/{file}/versions")).await;
    assert_eq!(there.len(), 2, "{there:?}");
    assert_eq!(
        (&there[1]["number"], &there[1]["size"]),
        (&json!(1), &json!(size)),
        "{there:?}"
    );
    let before = used(person).await;
    let removed = person
        .call("DELETE", &format!("/v1/versions/{file}.1"), None)
        .await;
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(used(person).await, before - size);
}

/// There is this one file in the root, with these bytes, and nothing else is used of the quota.
pub(crate) async fn has_one_file(person: &Person<'_>, name: &str, bytes: &Bytes) {
    let files = entries(person, None).await;
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0]["name"], name, "{files:?}");
    assert_eq!(person.fetch(&text(&files[0]["id"])).await.as_ref(), Some(bytes));
    assert_eq!(used(person).await, bytes.len() as u64);
}
