//! Which credential opens which endpoint: each with each.
//!
//! The endpoints and who may call them are those that `wire` declares; the template has the same.

use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::{PASSWORD, Person, invitation_if_needed, is_good, new_username, sign};
use crate::harness::stack::stack;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};
use wire::Caller::{Anybody, EitherScope, Operator, Scope, Session};
use wire::{Declaration, ENDPOINTS};

/// Somebody, with one of everything that endpoints are about.
struct World {
    person: Person,
    upload: String,
    file: String,
    trashed: String,
    version: String,
    token: String,
}

impl World {
    async fn new() -> Self {
        let person = Person::new().await;
        let upload = person.sent("a", &fresh(5)).await.id;
        let file = person.store("b", None, &fresh(5)).await.file.id;
        person.replace("b", &fresh(5)).await;
        let version = format!("{file}.1");
        let trashed = person.api.create_folder("c", None).await.unwrap().id;
        person.api.trash_file(&trashed).await.unwrap();
        let token = token(&person, &["read"]).await;
        Self {
            person,
            upload,
            file,
            trashed,
            version,
            token: id_of(&token).to_owned(),
        }
    }

    fn id_for(&self, row: &Declaration) -> &str {
        match row.path.split('/').nth(2).unwrap() {
            "uploads" => &self.upload,
            "files" => &self.file,
            "trash" => &self.trashed,
            "versions" => &self.version,
            "tokens" => &self.token,
            "targets" => "nowhere",
            _ => "",
        }
    }
}

/// A personal access token.
async fn token(person: &Person, scopes: &[&str]) -> String {
    let body = json!({ "name": "a test's", "scopes": scopes, "expires_in_days": 1 });
    let made = person
        .call("POST", "/tokens", Some(&body))
        .await
        .expect(201)
        .json();
    made["token"].as_str().unwrap().to_owned()
}

/// The id in a personal access token.
fn id_of(token: &str) -> &str {
    token.split('.').nth(1).unwrap()
}

/// A personal access token whose time is over.
async fn over(person: &Person) -> String {
    let token = token(person, &["read", "upload", "admin"]).await;
    let row = format!("TOKEN#{}", id_of(&token));
    let expired = json!({ "expires_at": "2020-01-01T00:00:00Z" });
    aws::set(&person.partition(), &row, &expired).await;
    token
}

/// A personal access token that its owner has ended.
async fn ended(person: &Person) -> String {
    let token = token(person, &["read", "upload", "admin"]).await;
    person.api.delete_token(id_of(&token)).await.unwrap();
    token
}

/// What to send for the call to do what it is for.
async fn right_body(row: &Declaration, person: &Person) -> Value {
    match row.function {
        "account-create" => {
            let invitation = invitation_if_needed().await;
            json!({ "username": new_username(), "password": PASSWORD, "invitation": invitation })
        }
        // Somebody else's each time: it ends all sessions.
        "account-reset-password" => {
            let somebody = Person::not_signed_in().await;
            let code = somebody.password_code().await;
            json!({ "username": somebody.username, "code": code, "password": PASSWORD })
        }
        "account-delete" => json!({ "current_password": PASSWORD }),
        // The same again, because the clean-up after the tests knows this one.
        "account-set-password" => json!({ "current_password": PASSWORD, "new_password": PASSWORD }),
        "session-create" => json!({ "username": person.username, "password": PASSWORD }),
        "session-refresh" => {
            json!({ "refresh_token": person.sign_in().await.refresh_token.reveal() })
        }
        "token-create" => json!({ "name": "x", "scopes": ["read"], "expires_in_days": 1 }),
        "upload-create" => json!({ "name": "x", "size": 5 }),
        "upload-sign-parts" => {
            let sha256 = domain::content::PartDigest::of(b"bytes").to_string();
            json!({ "parts": [{ "number": 1, "sha256": sha256 }] })
        }
        "upload-prove" => {
            json!({ "proof": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" })
        }
        "folder-create" | "file-copy" => json!({ "name": "x" }),
        "version-update" => json!({ "kept": true }),
        // Which scope each needs is tested where batches are.
        "file-batch" => json!({ "op": "move", "items": [{ "id": "nothing" }], "parent": null }),
        _ => json!({}),
    }
}

/// What to ask for besides: with its question mark.
fn right_query(row: &Declaration) -> &'static str {
    match row.function {
        "file-search" => "?q=b",
        _ => "",
    }
}

/// Calls an endpoint for the things of a world.
async fn call(row: &Declaration, world: &World, authorization: Option<&str>) -> HttpResponse {
    let (path, query) = (row.path.replace("{id}", world.id_for(row)), right_query(row));
    let url = format!("{}{path}{query}", stack().api_url);
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let body = right_body(row, &world.person).await.to_string();
    send(row.method, &url, &headers, body).await
}

/// The statuses that an endpoint has to give, credential by credential.
struct Expected {
    /// To a caller without valid credentials.
    nobody: u16,
    /// To a personal access token with all scopes but the one that is wanted.
    wrong_scope: u16,
    /// To one with all scopes.
    all_scopes: u16,
    /// To another account.
    stranger: u16,
    right: u16,
}

fn expected(row: &Declaration) -> Expected {
    let right = match row.function {
        // At a target that there is not: dead letters are in one queue for all tests.
        "target-redrive" => 404,
        _ => row.status(),
    };
    let all = |status| Expected {
        nobody: status,
        wrong_scope: status,
        all_scopes: status,
        stranger: status,
        right: status,
    };
    let about_a_thing = row.path.contains("{id}");
    match row.caller {
        Anybody => all(right),
        Session => Expected {
            nobody: 401,
            wrong_scope: 403,
            all_scopes: 403,
            stranger: right,
            right,
        },
        Scope(_) | EitherScope(..) | Operator(_) => Expected {
            nobody: 401,
            wrong_scope: 403,
            all_scopes: right,
            // What is somebody else's is not there. What is about no thing in particular is about the caller's own.
            stranger: match row.caller {
                Operator(_) => 403,
                _ if about_a_thing => 404,
                _ => right,
            },
            right,
        },
    }
}

/// All that opens nothing, and what it is called.
async fn worthless(world: &World) -> Vec<(&'static str, Option<String>)> {
    let person = &world.person;
    let (now, session) = (Timestamp::now().as_second(), session_of(&person.token));
    let expired = sign(&person.id, &session, "longshore-api", now - 1).await;
    let elsewhere = sign(&person.id, &session, "another-api", now + 600).await;
    let unknown = sign(
        &person.id,
        "00000000000000000000000000000000",
        "longshore-api",
        now + 600,
    )
    .await;
    let another = Person::new().await;
    let crossed = sign(&another.id, &session, "longshore-api", now + 600).await;
    let signed_out = person.signed_out_token().await;
    let [over, ended] = [over(person).await, ended(person).await];
    let made_up = format!("lsp_{}.{}.{}", person.id, world.token, "A".repeat(43));
    // The same with nothing wrong is good.
    let good = sign(&person.id, &session, "longshore-api", now + 600).await;
    assert!(is_good(&good, "a token that the tests sign").await);
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    vec![
        ("no token", None),
        ("an empty header", Some(String::new())),
        ("no scheme", Some(person.token.clone())),
        ("another scheme", Some(format!("Basic {}", person.token))),
        ("a malformed token", bearer("rubbish")),
        ("half a token", bearer(&person.token[..person.token.len() - 3])),
        ("an expired token", bearer(&expired)),
        ("a token for another audience", bearer(&elsewhere)),
        ("a session that is none", bearer(&unknown)),
        ("somebody else's session", bearer(&crossed)),
        ("a session that was signed out", bearer(&signed_out)),
        ("a made-up personal token", bearer(&made_up)),
        ("a personal token that has expired", bearer(&over)),
        ("a personal token that was ended", bearer(&ended)),
    ]
}

async fn check(row: &Declaration) {
    let expected = expected(row);
    let is = |answer: HttpResponse, status: u16, who: &str| {
        let (method, path, text) = (row.method, row.path, answer.text());
        assert_eq!(answer.status, status, "{method} {path} with {who}: {text}");
        if status == 401 {
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer",
                "{method} {path} with {who}"
            );
        }
    };
    let world = World::new().await;
    let person = &world.person;
    if matches!(row.caller, Operator(_)) {
        person.become_operator().await;
    }
    for (who, value) in worthless(&world).await {
        is(call(row, &world, value.as_deref()).await, expected.nobody, who);
    }
    let stranger = Person::new().await;
    let all = ["read", "upload", "admin"];
    let wanted = match row.caller {
        Scope(scope) | Operator(scope) => vec![scope.as_str()],
        EitherScope(one, other) => vec![one.as_str(), other.as_str()],
        Anybody | Session => vec![],
    };
    let others: Vec<&str> = all.into_iter().filter(|scope| !wanted.contains(scope)).collect();
    let wrong = format!("Bearer {}", token(person, &others).await);
    is(
        call(row, &world, Some(&wrong)).await,
        expected.wrong_scope,
        "the wrong scopes",
    );
    let theirs = format!("Bearer {}", stranger.token);
    let answer = call(row, &world, Some(&theirs)).await;
    let text = answer.text();
    // The caller of an endpoint without a token is the one that the body names.
    for id in [&person.id, &world.upload, &world.file, &world.token] {
        let shown = row.caller != Anybody && text.contains(id.as_str());
        assert!(!shown, "{} {}: {text}", row.method, row.path);
    }
    is(answer, expected.stranger, "another account");
    // What these do can be done once: each in a world of its own.
    let with_token = format!("Bearer {}", token(person, &all).await);
    is(
        call(row, &world, Some(&with_token)).await,
        expected.all_scopes,
        "all scopes",
    );
    let fresh = World::new().await;
    if matches!(row.caller, Operator(_)) {
        fresh.person.become_operator().await;
    }
    let right = format!("bearer {}", fresh.person.token);
    is(
        call(row, &fresh, Some(&right)).await,
        expected.right,
        "the right token",
    );
}

/// The session that an access token names.
fn session_of(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_endpoint_with_every_credential() {
    // A few at a time: each makes accounts, which is slow on purpose.
    stream::iter(ENDPOINTS.iter()).for_each_concurrent(4, check).await;
}
