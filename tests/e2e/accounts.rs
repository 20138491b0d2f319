//! Who may do what.

use crate::harness::bytes::{fresh, unique};
use crate::harness::documented::about_one_thing;
use crate::harness::http::send;
use crate::harness::person::{PASSWORD, Person, invitation_if_needed, new_username, note_username};
use crate::harness::stack::stack;
use serde_json::{Value, json};

async fn post(path: &str, body: &Value) -> crate::harness::http::HttpResponse {
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
    let mut signing_up = body.clone();
    signing_up["invitation"] = json!(invitation_if_needed().await);
    let account = post("/accounts", &signing_up).await.expect(201).json();
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
        let invitation = invitation_if_needed().await;
        let body = json!({ "username": name, "password": PASSWORD, "invitation": invitation });
        post("/accounts", &body).await.problem(409, "username_taken");
    }
}

/// Many at once for one name: one gets it.
#[tokio::test]
async fn a_username_is_taken_once_at_the_same_time() {
    let username = new_username();
    let sign_up = async || {
        let invitation = invitation_if_needed().await;
        let body = json!({ "username": username, "password": PASSWORD, "invitation": invitation });
        post("/accounts", &body).await
    };
    let answers = futures::future::join_all((0..5).map(|_| sign_up())).await;
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
    for (method, path) in about_one_thing().chain([("POST", "/uploads/{id}/parts")]) {
        let body = path.ends_with("/parts").then_some(&parts);
        for id in [&upload.id, &file.id, &folder.id] {
            let answer = other.call(method, &path.replace("{id}", id), body).await;
            let document = answer.problem(404, "not_found");
            // The same words as for what nobody has.
            let nobodys = other.call(method, &path.replace("{id}", "0000"), body).await;
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
