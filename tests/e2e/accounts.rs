//! Who may do what.

use crate::harness::aws::{function_environment, secret};
use crate::harness::bytes::{fresh, unique};
use crate::harness::http::send;
use crate::harness::person::{PASSWORD, Person, new_username, note_username};
use crate::harness::stack::stack;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

async fn post(path: &str, body: &Value) -> crate::harness::http::Answer {
    let url = format!("{}/v1{path}", stack().api_url);
    send(
        "POST",
        &url,
        &[("content-type", "application/json")],
        body.to_string(),
    )
    .await
}

#[tokio::test]
async fn somebody_signs_up_and_in() {
    let username = format!("Ann.{:x}", unique());
    note_username(&username);
    let body = json!({ "username": username, "password": PASSWORD });
    let account = post("/accounts", &body).await.expect(201).json();
    assert_eq!(account["username"], username.to_lowercase());
    assert_eq!(account["used_bytes"], 0);
    assert!(account.get("password_hash").is_none());
    let session = post("/sessions", &body).await.expect(201).json();
    assert_eq!(session["token_type"], "Bearer");
    assert!(session["expires_in"].as_u64().unwrap() > 0);
    let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let shown = send(
        "GET",
        &format!("{}/v1/account", stack().api_url),
        &[("authorization", &token)],
        "",
    )
    .await;
    assert_eq!(shown.expect(200).json(), account);
}

#[tokio::test]
async fn a_username_is_taken_once_in_any_case() {
    let person = Person::new().await;
    for name in [person.username.clone(), person.username.to_uppercase()] {
        post("/accounts", &json!({ "username": name, "password": PASSWORD }))
            .await
            .problem(409, "username_taken");
    }
}

/// Many at once for one name: one gets it.
#[tokio::test]
async fn a_username_is_taken_once_at_the_same_time() {
    let body = json!({ "username": new_username(), "password": PASSWORD });
    let answers = futures::future::join_all((0..5).map(|_| post("/accounts", &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let person = Person::new().await;
    let wrong = json!({ "username": person.username, "password": "wrong horse battery" });
    let unknown = json!({ "username": new_username(), "password": PASSWORD });
    let wrong = post("/sessions", &wrong).await.problem(401, "unauthorized");
    let unknown = post("/sessions", &unknown).await.problem(401, "unauthorized");
    assert_eq!(wrong, unknown);
}

/// Every endpoint that works on an account's things.
const GUARDED: [(&str, &str); 12] = [
    ("GET", "/account"),
    ("POST", "/uploads"),
    ("GET", "/uploads"),
    ("GET", "/uploads/{upload}"),
    ("POST", "/uploads/{upload}/parts"),
    ("POST", "/uploads/{upload}/complete"),
    ("DELETE", "/uploads/{upload}"),
    ("POST", "/folders"),
    ("GET", "/files"),
    ("GET", "/files/{file}"),
    ("GET", "/files/{file}/content"),
    ("DELETE", "/files/{file}"),
];

#[tokio::test]
async fn no_endpoint_works_without_a_valid_token() {
    let person = Person::new().await;
    let upload = person.begin("a", &fresh(5)).await;
    let file = person.store("b", None, &fresh(5)).await.file;
    let environment = function_environment("account-get").await;
    let id = environment
        .into_iter()
        .find(|(name, _)| name == "SIGNING_SECRET_ID")
        .unwrap()
        .1;
    let key = secret(&id).await["current"].as_str().unwrap().to_owned();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "sub": person.id, "iss": "longshore", "aud": "longshore-api", "iat": now - 10, "exp": now + 3600,
    });
    let signed = |claims: &Value, key: &str| {
        encode(
            &Header::default(),
            claims,
            &EncodingKey::from_secret(key.as_bytes()),
        )
        .unwrap()
    };
    let with = |member: &str, value: Value| {
        let mut claims = claims.clone();
        claims[member] = value;
        claims
    };
    let valid = signed(&claims, &key);
    let url = format!("{}/v1/account", stack().api_url);
    let accepted = send("GET", &url, &[("authorization", &format!("Bearer {valid}"))], "").await;
    assert_eq!(
        accepted.expect(200).json()["id"],
        person.id,
        "the tokens below are refused for what is wrong with them"
    );

    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let unsigned = format!(
        "{}.{payload}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#)
    );
    let headers = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {valid}"),
        valid.clone(),
        "Bearer rubbish".to_owned(),
        format!("Bearer {unsigned}"),
        format!("Bearer {}", &valid[..valid.len() - 3]),
        format!(
            "Bearer {}",
            signed(&claims, "another secret, which is long enough")
        ),
        format!("Bearer {}", signed(&with("exp", json!(now - 1)), &key)),
        format!("Bearer {}", signed(&with("aud", json!("another-api")), &key)),
        format!("Bearer {}", signed(&with("iss", json!("somebody")), &key)),
        format!("Bearer {}", signed(&with("sub", json!("")), &key)),
    ];
    for (method, path) in GUARDED {
        let path = path.replace("{upload}", &upload.id).replace("{file}", &file.id);
        let url = format!("{}/v1{path}", stack().api_url);
        send(method, &url, &[], "{}").await.problem(401, "unauthorized");
        for header in &headers {
            let answer = send(method, &url, &[("authorization", header)], "{}").await;
            answer.problem(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(person.used().await, 10, "nothing happened");
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let (owner, other) = (Person::new().await, Person::new().await);
    let bytes = fresh(5);
    let upload = owner.begin("a", &bytes).await;
    owner.send_parts(&upload.id, &bytes, [1]).await;
    let file = owner.store("b", None, &fresh(5)).await.file;
    let folder = owner.api.create_folder("c", None).await.unwrap();
    let sha256 = domain::content::PartDigest::of(&bytes).to_string();
    let parts = json!({ "parts": [{ "number": 1, "sha256": sha256 }] });
    for (method, path) in GUARDED.iter().filter(|(_, path)| path.contains('{')) {
        for id in [&upload.id, &file.id, &folder.id] {
            let path = path.replace("{upload}", id).replace("{file}", id);
            let answer = other.call(method, &path, Some(&parts)).await;
            let document = answer.problem(404, "not_found");
            // The same words as for what nobody has.
            let nobodys = other
                .call(method, &path.replace(id.as_str(), "0000"), Some(&parts))
                .await;
            assert_eq!(document, nobodys.problem(404, "not_found"));
        }
    }
    other
        .call("GET", &format!("/files?parent={}", folder.id), None)
        .await
        .problem(404, "not_found");
    let inside = json!({ "name": "x", "size": 1, "parent": folder.id });
    other
        .call("POST", "/uploads", Some(&inside))
        .await
        .problem(409, "parent_not_found");
    let inside = json!({ "name": "x", "parent": folder.id });
    other
        .call("POST", "/folders", Some(&inside))
        .await
        .problem(409, "parent_not_found");
    assert!(other.api.all_files(None).await.unwrap().is_empty());
    assert!(other.api.all_uploads().await.unwrap().is_empty());

    owner.complete(&upload.id).await.expect(200);
    assert_eq!(owner.api.all_files(None).await.unwrap().len(), 3);
}
