//! Where signing up is closed: a user with a code creates an account, once, and nobody else learns anything. The same codes set
//! forgotten passwords.
//!
//! Functions whose sign-up is closed run alone here; the deployed stack of the tests is open.

use crate::harness::aws::{invoke, set};
use crate::harness::bytes::unique;
use crate::harness::cli::Terminal;
use crate::harness::http::{HttpResponse, send};
use crate::harness::person::{
    Invitation, PASSWORD, Person, anonymous, invitation, is_good, make_account, new_username,
};
use crate::harness::proxy::Act;
use crate::harness::sandbox::{Sandbox, from_address, http_event, new_address};
use crate::harness::stack::stack;
use crate::harness::wait::within_one_hour;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ANOTHER: &str = "another good one";
const NOBODYS: &str = "lsi_00000000000000000000000000";

/// `account-create` where accounts are made by invitation.
struct Closed {
    function: Sandbox,
    address: String,
}

/// A status and a problem's code, if there is one.
type Told = (u64, String);

impl Closed {
    async fn new(limits: &[(&str, &str)]) -> Self {
        let environment = [&[("SIGN_UP", "invited")], limits].concat();
        Self {
            function: Sandbox::start_with("account-create", |_| Act::Pass, &environment).await,
            address: new_address(),
        }
    }

    async fn sign_up(&mut self, username: &str, code: Option<&str>) -> Told {
        let (status, body) = self.answer(username, code).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn answer(&mut self, username: &str, code: Option<&str>) -> (u64, Value) {
        let body = json!({ "username": username, "password": PASSWORD, "invitation": code });
        let event = http_event("account-create", None, "", Some(&body));
        let event = from_address(event, &self.address);
        let answer = self.function.invoke(&event).await.unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap(), body)
    }
}

fn told(status: u64, code: &str) -> Told {
    (status, code.to_owned())
}

fn refused() -> Told {
    told(403, "invitation_invalid")
}

async fn new_invitation() -> Invitation {
    invitation(&json!({ "action": "create", "for": "a test" })).await
}

async fn administer(request: &Value) -> Result<Value, String> {
    let answer = invoke("account-invite", request).await;
    answer.map_err(|error| error["errorMessage"].as_str().unwrap_or_default().to_owned())
}

async fn post(path: &str, body: &Value) -> HttpResponse {
    let url = format!("{}/v1{path}", stack().api_url);
    let headers = [("content-type", "application/json")];
    send("POST", &url, &headers, body.to_string()).await
}

async fn reset(username: &str, code: &str) -> HttpResponse {
    let body = json!({ "username": username, "code": code, "password": ANOTHER });
    post("/accounts/password", &body).await
}

#[tokio::test]
async fn a_closed_stack_makes_accounts_by_invitation_only() {
    let mut closed = Closed::new(&[]).await;
    let (taken, mine) = (Person::not_signed_in().await.username, new_username());
    // A stranger is told the same of every name, and costs no hash of a password.
    for code in [None, Some(NOBODYS), Some("x")] {
        closed.function.proxy.forget();
        let told = [
            closed.answer(&taken, code).await,
            closed.answer(&mine, code).await,
        ];
        assert_eq!(told[0], told[1]);
        let what = if code.is_none() { "required" } else { "invalid" };
        assert_eq!(
            (told[0].0, &told[0].1["code"]),
            (403, &json!(format!("invitation_{what}")))
        );
        assert!(
            !closed
                .function
                .proxy
                .operations()
                .contains(&"DynamoDB TransactWriteItems".to_owned())
        );
    }
    let code = new_invitation().await.code;
    // A name that is taken costs nothing.
    assert_eq!(
        closed.sign_up(&taken, Some(&code)).await,
        told(409, "username_taken")
    );
    assert_eq!(closed.sign_up(&mine, Some(&code)).await, told(201, ""));
    anonymous().create_session(&mine, PASSWORD).await.unwrap();
    assert_eq!(closed.sign_up(&new_username(), Some(&code)).await, refused());
    assert_eq!(closed.sign_up(&taken, Some(&code)).await, refused());
}

#[tokio::test]
async fn an_invitation_is_good_once_until_it_ends_and_for_one_thing() {
    let mut closed = Closed::new(&[]).await;
    let (ended, revoked) = (new_invitation().await, new_invitation().await);
    // The table deletes what has ended when it has the time: until then it is there.
    let row = format!("INVITATION#{}", ended.id);
    set(
        "INVITATIONS",
        &row,
        &json!({ "expires_at": "2026-01-01T00:00:00Z" }),
    )
    .await;
    administer(&json!({ "action": "revoke", "id": revoked.id }))
        .await
        .unwrap();
    let password = Person::not_signed_in().await.password_code().await;
    for code in [&ended.code, &revoked.code, &password] {
        assert_eq!(closed.sign_up(&new_username(), Some(code)).await, refused());
    }
    // However it is typed.
    let typed = new_invitation().await.code.to_uppercase().replace("LSI_", " ");
    assert_eq!(closed.sign_up(&new_username(), Some(&typed)).await, told(201, ""));
    // Where everybody may sign up a code that is given is looked at all the same.
    let wrong = json!({ "username": new_username(), "password": PASSWORD, "invitation": NOBODYS });
    post("/accounts", &wrong).await.problem(403, "invitation_invalid");
}

/// Guesses count like accounts that are made, whatever the guess.
#[tokio::test]
async fn one_source_cannot_guess_many_codes() {
    within_one_hour(async || {
        let mut closed = Closed::new(&[("ACCOUNTS_PER_HOUR_AND_SOURCE", "2")]).await;
        let code = new_invitation().await.code;
        assert_eq!(closed.sign_up(&new_username(), Some(NOBODYS)).await, refused());
        assert_eq!(
            closed.sign_up(&new_username(), None).await,
            told(403, "invitation_required")
        );
        assert_eq!(
            closed.sign_up(&new_username(), Some(&code)).await,
            told(429, "too_many_requests")
        );
        closed.address = new_address();
        assert_eq!(closed.sign_up(&new_username(), Some(&code)).await, told(201, ""));
    })
    .await;
}

/// Twenty at once, and each wants another name.
#[tokio::test]
async fn one_code_makes_one_account_however_many_use_it_at_once() {
    let code = new_invitation().await.code;
    let sign_up = async |username: String| {
        let body = json!({ "username": username, "password": PASSWORD, "invitation": code });
        loop {
            let answer = post("/accounts", &body).await;
            if ![429, 503].contains(&answer.status) {
                return answer.status;
            }
        }
    };
    let names: Vec<String> = (0..20).map(|_| new_username()).collect();
    let statuses = futures::future::join_all(names.iter().cloned().map(sign_up)).await;
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for status in &statuses {
        *counted.entry(*status).or_default() += 1;
    }
    assert_eq!(counted, BTreeMap::from([(201, 1), (403, 19)]), "{statuses:?}");
    // Those who came too late have taken no name.
    let late = names.iter().zip(&statuses).find(|(_, status)| **status == 403);
    make_account(&anonymous(), late.unwrap().0).await.unwrap();
}

#[tokio::test]
async fn administrators_see_what_became_of_their_invitations() {
    let note = format!("{:x}", unique());
    let request = json!({ "action": "create", "for": note, "days": 2, "quota_bytes": 5000 });
    let (one, other) = (invitation(&request).await, invitation(&request).await);
    let api = anonymous();
    let account = api
        .create_account_by_invitation(&new_username(), PASSWORD, &one.code)
        .await
        .unwrap();
    assert_eq!(account.quota_bytes, 5000);
    let mine = async || {
        let (mut found, mut request) = (BTreeMap::new(), json!({ "action": "list" }));
        loop {
            let page = administer(&request).await.unwrap();
            assert!(!page.to_string().contains("lsi_"), "{page}");
            let items = page["items"].as_array().unwrap().iter();
            for item in items.filter(|item| item["for"] == note) {
                found.insert(item["id"].as_str().unwrap().to_owned(), item.clone());
            }
            match page.get("next") {
                Some(next) => request["after"] = next.clone(),
                None => return found,
            }
        }
    };
    let listed = mine().await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[&one.id]["used_by"], account.username);
    assert!(listed[&one.id]["used_at"].is_string() && listed[&other.id]["used_at"].is_null());
    let revoke = async |id: &str| administer(&json!({ "action": "revoke", "id": id })).await;
    let used = revoke(&one.id).await.unwrap_err();
    assert!(used.contains("was used"), "{used}");
    revoke(&other.id).await.unwrap();
    let gone = revoke(&other.id).await.unwrap_err();
    assert!(gone.contains("there is no invitation"), "{gone}");
    assert_eq!(mine().await.len(), 1);
    for (request, said) in [
        (json!({ "action": "create", "days": 0 }), "1 to 90 days"),
        (json!({ "action": "create", "for": "a\nb" }), "control character"),
        (
            json!({ "action": "create", "quota_bytes": u64::MAX }),
            "a quota has at most",
        ),
        (
            json!({ "action": "reset_password", "username": new_username() }),
            "there is no account",
        ),
        (json!({ "action": "create", "username": "ann" }), "unknown field"),
    ] {
        let error = administer(&request).await.unwrap_err();
        assert!(error.contains(said), "{request}: {error}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_and_all_sessions_end() {
    let person = Person::new().await;
    let token = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    let token = person
        .call("POST", "/tokens", Some(&token))
        .await
        .expect(201)
        .json();
    let code = person.password_code().await;
    // What is wrong cannot be told.
    let (other, invited) = (
        Person::not_signed_in().await.username,
        new_invitation().await.code,
    );
    let mut told = Vec::new();
    for (username, code) in [
        (&person.username, NOBODYS),
        (&other, code.as_str()),
        (&new_username(), code.as_str()),
        (&new_username(), NOBODYS),
        (&person.username, invited.as_str()),
    ] {
        told.push(reset(username, code).await.problem(403, "invitation_invalid"));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(is_good(&person.token, "a failed reset ends nothing").await);

    reset(&person.username.to_uppercase(), &code).await.expect(204);
    assert!(!is_good(&person.token, "the session").await);
    assert!(is_good(token["token"].as_str().unwrap(), "a personal token stays").await);
    let sign_in = async |password| anonymous().create_session(&person.username, password).await;
    assert!(sign_in(PASSWORD).await.is_err());
    let session = sign_in(ANOTHER).await.unwrap();
    reset(&person.username, &code)
        .await
        .problem(403, "invitation_invalid");
    let again = person.password_code().await;
    let api = anonymous().with_token(session.access_token);
    api.change_password(ANOTHER, PASSWORD).await.unwrap();
    // An account that is deleted has no password any more.
    api.delete_account(PASSWORD).await.unwrap();
    reset(&person.username, &again)
        .await
        .problem(403, "invitation_invalid");
}

/// Guessing codes counts like signing in.
#[tokio::test]
async fn one_source_cannot_try_many_codes_for_passwords() {
    within_one_hour(async || {
        let limit = [("SIGN_INS_PER_HOUR_AND_SOURCE", "2")];
        let mut function = Sandbox::start_with("account-reset-password", |_| Act::Pass, &limit).await;
        let person = Person::not_signed_in().await;
        let (code, address) = (person.password_code().await, new_address());
        let mut statuses = Vec::new();
        for code in [NOBODYS, NOBODYS, &code] {
            let body = json!({ "username": person.username, "code": code, "password": PASSWORD });
            let event = http_event("account-reset-password", None, "", Some(&body));
            let answer = function.invoke(&from_address(event, &address)).await.unwrap();
            statuses.push(answer["statusCode"].as_u64().unwrap());
        }
        assert_eq!(statuses, [403, 403, 429]);
    })
    .await;
}

/// Waits after wrong guesses, and strangers who used up what they may try, do not lock out an owner with a code.
#[tokio::test]
async fn whoever_sets_the_password_can_sign_in_at_once() {
    let person = Person::not_signed_in().await;
    let (home, code) = (new_address(), person.password_code().await);
    let mut door = Sandbox::start("session-create", |_| Act::Pass).await;
    let mut attempt = async |password: &str| {
        let body = json!({ "username": person.username, "password": password });
        let event = http_event("session-create", None, "", Some(&body));
        let answer = door.invoke(&from_address(event, &home)).await.unwrap();
        answer["statusCode"].as_u64().unwrap()
    };
    let mut guesses = 0;
    while attempt("a wrong guess").await != 429 {
        guesses += 1;
        assert!(guesses < 40, "never refused");
    }
    let mut function = Sandbox::start("account-reset-password", |_| Act::Pass).await;
    let body = json!({ "username": person.username, "code": code, "password": PASSWORD });
    let event = http_event("account-reset-password", None, "", Some(&body));
    let answer = function.invoke(&from_address(event, &home)).await.unwrap();
    assert_eq!(answer["statusCode"], 204, "{answer}");
    assert_eq!(attempt(PASSWORD).await, 201);
}

#[tokio::test]
async fn codes_are_given_at_a_terminal() {
    let (terminal, username) = (Terminal::new(), new_username());
    let wrong = terminal.fails(1, &["signup", &username, "--invitation", NOBODYS]);
    assert_eq!(wrong["code"], "invitation_invalid", "{wrong}");
    let code = new_invitation().await.code;
    terminal.json(&["signup", &username, "--invitation", &code]);
    terminal.json(&["whoami"]);

    let request = json!({ "action": "reset_password", "username": username });
    let code = invitation(&request).await.code;
    let elsewhere = Terminal::new();
    let reset = |code: Option<&str>| {
        let mut command = elsewhere.command(&["reset-password", &username]);
        command.env("LONGSHORE_NEW_PASSWORD", PASSWORD);
        if let Some(code) = code {
            command.env("LONGSHORE_RESET_CODE", code);
        }
        command.output().unwrap().status.code()
    };
    assert_eq!(reset(None), Some(2), "there is nobody to ask");
    assert_eq!(reset(Some(NOBODYS)), Some(1));
    assert_eq!(reset(Some(&code)), Some(0));
    elsewhere.json(&["whoami"]);
    terminal.fails(3, &["whoami"]);
}
