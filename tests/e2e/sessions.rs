//! Sessions begin, go on and end.

mod listed;

use crate::harness::aws;
use crate::harness::bytes::unique;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::{PASSWORD, Person, anonymous, is_good, make_account, new_username};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, http_event, peak_memory};
use crate::harness::stack::stack;
use crate::harness::wait::until;
use client::session::{InMemory, Tokens};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

async fn is_signed_in(token: &str) -> bool {
    is_good(token, "a session").await
}

async fn refresh(token: &str) -> HttpResponse {
    let url = format!("{}/v1/sessions/refresh", stack().api_url);
    let body = json!({ "refresh_token": token }).to_string();
    send("POST", &url, &[("content-type", "application/json")], body).await
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

/// Where the session of a refresh token is in the table.
fn place(refresh_token: &str) -> (String, String) {
    let mut words = refresh_token.strip_prefix("lsr_").unwrap().split('.');
    let mut word = || words.next().unwrap();
    (format!("ACCOUNT#{}", word()), format!("SESSION#{}", word()))
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_and_the_old_access_token_stays_good() {
    let person = Person::new().await;
    let first = person.sign_in().await;
    let second = refresh(first.refresh_token.reveal()).await.expect(200).json();
    assert_ne!(text(&second, "refresh_token"), first.refresh_token.reveal());
    assert_eq!(
        (text(&second, "token_type"), &second["expires_in"]),
        ("Bearer", &json!(900))
    );
    for token in [text(&second, "access_token"), first.access_token.reveal()] {
        assert!(is_signed_in(token).await);
    }
    let third = refresh(text(&second, "refresh_token")).await.expect(200).json();
    assert!(is_signed_in(text(&third, "access_token")).await);
}

/// What a function answers that has this signing secret: status and body.
async fn ask(function: &mut Sandbox, event: &Value) -> (u64, Value) {
    let answer = function.invoke(event).await.unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    let body = serde_json::from_str(body).unwrap_or_default();
    (answer["statusCode"].as_u64().unwrap(), body)
}

#[tokio::test]
async fn the_signing_key_is_replaced_and_nobody_is_signed_out() {
    let (old, new) = ("o".repeat(40), "n".repeat(40));
    let secret = aws::new_secret(&format!("e2e-signing-{:x}", unique()), &json!({ "current": old })).await;
    let environment = [("SIGNING_SECRET_ID", secret.as_str())];
    let start = async |function| Sandbox::start_with(function, |_| Act::Pass, &environment).await;
    let person = Person::not_signed_in().await;
    let credentials = json!({ "username": person.username, "password": PASSWORD });
    let sign_in = http_event("session-create", None, "", Some(&credentials));
    let with = |session: &Value| http_event("account-get", None, text(session, "access_token"), None);
    let exchange = |session: &Value| {
        let body = json!({ "refresh_token": session["refresh_token"] });
        http_event("session-refresh", None, "", Some(&body))
    };
    let (status, before) = ask(&mut start("session-create").await, &sign_in).await;
    assert_eq!(status, 201);
    let mut running = start("account-get").await;
    assert_eq!(ask(&mut running, &with(&before)).await.0, 200);

    aws::put_secret(&secret, &json!({ "current": new, "previous": old })).await;
    // What was given before is good, and exchanged for what the old key signs for some minutes more: so that nobody meets a
    // key that it has not read.
    assert_eq!(ask(&mut start("account-get").await, &with(&before)).await.0, 200);
    let (status, meanwhile) = ask(&mut start("session-refresh").await, &exchange(&before)).await;
    assert_eq!(status, 200);
    let key_of = |session: &Value| {
        text(session, "access_token")
            .split('.')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(key_of(&before), key_of(&meanwhile));
    assert_eq!(ask(&mut running, &with(&meanwhile)).await.0, 200);

    // The old key is forgotten, or was stolen: its tokens are over, and the session goes on all the same.
    aws::put_secret(&secret, &json!({ "current": new })).await;
    assert_eq!(ask(&mut start("account-get").await, &with(&before)).await.0, 401);
    let (status, after) = ask(&mut start("session-refresh").await, &exchange(&meanwhile)).await;
    assert_eq!(status, 200);
    assert_ne!(key_of(&before), key_of(&after));
    assert_eq!(ask(&mut start("account-get").await, &with(&after)).await.0, 200);
    // A function that has been running for long reads the new key when it sees its id.
    until("the new key is known", async || {
        (ask(&mut running, &with(&after)).await.0 == 200).then_some(())
    })
    .await;
    aws::delete_secret(&secret).await;
}

/// The first choice of OWASP's Password Storage Cheat Sheet, for each password, within a quarter of the memory that the
/// function is deployed with, however often.
#[tokio::test]
async fn signing_in_costs_what_it_should() {
    let person = Person::not_signed_in().await;
    let account = aws::item(&person.partition(), "ACCOUNT").await.unwrap();
    let hash = text(&account, "password_hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let mut function = Sandbox::start("session-create", |_| Act::Pass).await;
    function.ready().await;
    let at_rest = peak_memory(function.pid()).unwrap();
    for attempt in 0..40 {
        // Wrong ones of a name that nobody has cost as much.
        let wrong = attempt % 2 == 1;
        let username = if wrong {
            new_username()
        } else {
            person.username.clone()
        };
        let body = json!({ "username": username, "password": PASSWORD });
        let event = http_event("session-create", None, "", Some(&body));
        let (status, _) = ask(&mut function, &event).await;
        assert_eq!(status, if wrong { 401 } else { 201 });
    }
    let used = peak_memory(function.pid()).unwrap();
    let given = aws::deployed("session-create").await.memory_mib * 1024;
    println!("{at_rest} KiB at rest, {used} of {given} KiB");
    // A password takes 19 MiB, some of which the function may have had at its start.
    assert!(
        used > at_rest + 12 * 1024,
        "{at_rest} KiB at rest, {used} at most"
    );
    assert!(used < given / 4, "{used} of {given} KiB");
}

/// An answer that got lost, or two programs that have the same session.
#[tokio::test]
async fn the_same_exchange_at_once_gives_the_same_answer() {
    let first = Person::new().await.sign_in().await;
    let answers = join_all((0..5).map(|_| refresh(first.refresh_token.reveal()))).await;
    let tokens: Vec<String> = answers
        .into_iter()
        .map(|answer| text(&answer.expect(200).json(), "refresh_token").to_owned())
        .collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{}", tokens.len());
    refresh(&tokens[0]).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_later_ends_the_session_for_everybody() {
    let person = Person::new().await;
    let (first, other) = (person.sign_in().await, person.sign_in().await);
    let stolen = first.refresh_token.reveal();
    let second = refresh(stolen).await.expect(200).json();
    let (pk, sk) = place(stolen);
    let long_ago = Timestamp::now() - domain::session::GRACE;
    aws::set(&pk, &sk, &json!({ "refreshed_at": long_ago })).await;
    refresh(stolen).await.problem(401, "unauthorized");
    refresh(text(&second, "refresh_token"))
        .await
        .problem(401, "unauthorized");
    assert!(!is_signed_in(text(&second, "access_token")).await);
    assert!(
        is_signed_in(other.access_token.reveal()).await,
        "another session is another matter"
    );
}

#[tokio::test]
async fn only_hashes_of_secrets_are_kept() {
    let person = Person::new().await;
    let session = person.sign_in().await;
    let body = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    let token = person
        .call("POST", "/tokens", Some(&body))
        .await
        .expect(201)
        .json();
    let mut rows = String::new();
    for kind in ["SESSION#", "TOKEN#"] {
        let found = aws::items(&person.partition(), kind).await;
        assert!(!found.is_empty(), "{kind}");
        rows.push_str(&serde_json::to_string(&found).unwrap());
    }
    for secret in [session.refresh_token.reveal(), text(&token, "token")] {
        let secret = secret.rsplit('.').next().unwrap();
        assert!(secret.len() == 43 && !rows.contains(secret));
    }
}

#[tokio::test]
async fn a_session_that_nobody_used_for_a_month_is_over() {
    let session = Person::new().await.sign_in().await;
    let (pk, sk) = place(session.refresh_token.reveal());
    let then = Timestamp::now() - SignedDuration::from_hours(30 * 24);
    aws::set(&pk, &sk, &json!({ "refreshed_at": then })).await;
    assert!(!is_signed_in(session.access_token.reveal()).await);
    refresh(session.refresh_token.reveal())
        .await
        .problem(401, "unauthorized");
}

#[tokio::test]
async fn signing_out_ends_one_session_and_signing_out_everywhere_all() {
    let person = Person::new().await;
    let (one, other) = (person.sign_in().await, person.sign_in().await);
    anonymous()
        .with_token(one.access_token.clone())
        .end_session()
        .await
        .unwrap();
    assert!(!is_signed_in(one.access_token.reveal()).await);
    refresh(one.refresh_token.reveal())
        .await
        .problem(401, "unauthorized");
    assert!(is_signed_in(other.access_token.reveal()).await);
    let api = anonymous().with_token(other.access_token.clone());
    api.end_all_sessions().await.unwrap();
    for token in [&person.token, other.access_token.reveal()] {
        assert!(!is_signed_in(token).await);
    }
    refresh(other.refresh_token.reveal())
        .await
        .problem(401, "unauthorized");
    assert!(is_signed_in(person.sign_in().await.access_token.reveal()).await);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let person = Person::new().await;
    let other = person.sign_in().await;
    let body = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let path = "/account/password";
    let wrong = person
        .call("PUT", path, Some(&body("wrong horse battery", "another one")))
        .await;
    wrong.problem(403, "wrong_password");
    assert!(is_signed_in(other.access_token.reveal()).await);
    person
        .call("PUT", path, Some(&body(PASSWORD, "another one")))
        .await
        .expect(204);
    assert!(is_signed_in(&person.token).await);
    assert!(!is_signed_in(other.access_token.reveal()).await);
    assert!(
        anonymous()
            .create_session(&person.username, PASSWORD)
            .await
            .is_err()
    );
    let session = anonymous()
        .create_session(&person.username, "another one")
        .await
        .unwrap();
    // The clean-up after the tests knows this one.
    let api = anonymous().with_token(session.access_token);
    api.change_password("another one", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_personal_token_is_good_until_it_is_ended() {
    let person = Person::new().await;
    let body = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    let made = person
        .call("POST", "/tokens", Some(&body))
        .await
        .expect(201)
        .json();
    let token = text(&made, "token");
    assert!(is_signed_in(token).await);
    person.api.end_all_sessions().await.unwrap();
    assert!(is_signed_in(token).await, "it is not part of a session");
    let session = person.sign_in().await;
    let api = anonymous().with_token(session.access_token);
    let listed = api.tokens().await.unwrap();
    assert_eq!((listed.len(), listed[0].id.as_str()), (1, text(&made, "id")));
    assert!(listed[0].token.is_none());
    let expired = json!({ "expires_at": "2020-01-01T00:00:00Z" });
    aws::set(
        &person.partition(),
        &format!("TOKEN#{}", text(&made, "id")),
        &expired,
    )
    .await;
    assert!(!is_signed_in(token).await && api.tokens().await.unwrap().is_empty());
    api.delete_token(text(&made, "id")).await.unwrap();
    assert!(
        api.delete_token(text(&made, "id"))
            .await
            .unwrap_err()
            .is("not_found")
    );
}

/// The client goes on with a session whose access token has ended.
#[tokio::test]
async fn the_client_exchanges_tokens_in_time() {
    let person = Person::new().await;
    let session = person.sign_in().await;
    let first = session.refresh_token.reveal().to_owned();
    let mut tokens = Tokens::of(session, Timestamp::now());
    tokens.good_until = Timestamp::now();
    let api = anonymous().with_session(tokens, Box::new(InMemory));
    let accounts = join_all((0..5).map(|_| api.account())).await;
    assert!(
        accounts
            .into_iter()
            .all(|account| account.unwrap().id == person.id)
    );
    let (pk, sk) = place(&first);
    assert!(aws::item(&pk, &sk).await.unwrap()["earlier"].is_string());
}

#[tokio::test]
async fn a_deleted_account_is_over_at_once_and_its_name_is_free() {
    let person = Person::new().await;
    let session = person.sign_in().await;
    let body = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    let made = person
        .call("POST", "/tokens", Some(&body))
        .await
        .expect(201)
        .json();
    let wrong = person
        .api
        .delete_account("wrong horse battery")
        .await
        .unwrap_err();
    assert!(wrong.is("wrong_password"), "{wrong}");
    person.api.delete_account(PASSWORD).await.unwrap();
    for token in [&person.token, session.access_token.reveal(), text(&made, "token")] {
        assert!(!is_signed_in(token).await);
    }
    refresh(session.refresh_token.reveal())
        .await
        .problem(401, "unauthorized");
    let gone = anonymous()
        .create_session(&person.username, PASSWORD)
        .await
        .unwrap_err();
    assert!(gone.is("unauthorized"), "{gone}");
    let next = make_account(&anonymous(), &person.username).await.unwrap();
    assert_ne!(next.id, person.id);
}
