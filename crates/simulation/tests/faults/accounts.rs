//! Accounts, invitations, passwords.

use crate::cast::{Cast, ask, bytes, file_of, folder, is_good, sign_in, text, used, with_token};
use crate::runner::{Act, Case};
use crate::settling::a_day_passes;
use serde_json::{Value, json};
use simulation::gateway::Request;
use simulation::lambda::Outcome;
use simulation::person::{PASSWORD, Person};
use simulation::world::World;

const ANOTHER: &str = "another good one";

/// What an administrator's function answers.
async fn invoke(world: &World, function: &str, event: Value) -> Value {
    match world.invoke(function, event).await {
        Outcome::Answered(answer) => answer,
        other => panic!("{function}: {other:?}"),
    }
}

async fn signs_in(world: &World, username: &str, password: &str) -> bool {
    let answer = sign_in(world, username, password).await;
    assert!([201, 401].contains(&answer.status), "{answer:?}");
    answer.status == 201
}

/// The name and the account, or neither: nobody is locked out of their name.
pub(crate) async fn make(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let wanted = json!({ "username": "eve", "password": PASSWORD });
    let request = with_token(&Value::Null, "POST", "/v1/accounts", Some(wanted));
    Case::request(&request, &[201], &[409]).then(async move |_| {
        let again = ask(world, &request).await;
        assert!(
            again.status == 201 || again.body["code"] == "username_taken",
            "{again:?}"
        );
        assert!(signs_in(world, "eve", PASSWORD).await);
    })
}

/// Either there is the account, and the code is used, or there is none, and the code is good.
pub(crate) async fn make_by_invitation(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let made = invoke(world, "account-invite", json!({ "action": "create" })).await;
    let wanted = json!({ "username": "eve", "password": PASSWORD, "invitation": made["code"] });
    let request = with_token(&Value::Null, "POST", "/v1/accounts", Some(wanted));
    Case::request(&request, &[201], &[]).then(async move |_| {
        let made = signs_in(world, "eve", PASSWORD).await;
        let again = ask(world, &request).await;
        assert_eq!(again.status, if made { 403 } else { 201 }, "{again:?}");
        assert!(signs_in(world, "eve", PASSWORD).await);
    })
}

/// A code that nobody was told is listed and can be revoked.
pub(crate) async fn invite(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let event = json!({ "action": "create", "for": "eve" });
    Case::new(Act::Event(event.clone()), &[200], &[]).then(async move |answer| {
        let listed = invoke(world, "account-invite", json!({ "action": "list" })).await;
        let listed = listed["items"].as_array().expect("a list").clone();
        assert!(listed.len() <= 1, "{listed:?}");
        assert!(answer.status != 200 || listed.len() == 1, "{listed:?}");
        for item in &listed {
            assert_eq!(item["for"], "eve");
            let revoke = json!({ "action": "revoke", "id": item["id"] });
            invoke(world, "account-invite", revoke).await;
        }
        let made = invoke(world, "account-invite", event).await;
        assert!(text(&made["code"]).starts_with("lsi_"), "{made}");
    })
}

/// The password is the old one, the sessions are good and the code is; or it is the new one, and neither is.
pub(crate) async fn reset_password(cast: Cast<'_>) -> Case<'_> {
    let (world, session) = (cast.world, &cast.sessions[0]["access_token"]);
    let wanted = json!({ "action": "reset_password", "username": "ada" });
    let made = invoke(world, "account-invite", wanted).await;
    let body = json!({ "username": "ada", "code": made["code"], "password": ANOTHER });
    let request = with_token(&Value::Null, "POST", "/v1/accounts/password", Some(body));
    Case::request(&request, &[204], &[]).then(async move |answer| {
        let set = signs_in(world, "ada", ANOTHER).await;
        assert!(set || answer.status != 204, "{answer:?}");
        assert_eq!(is_good(world, session).await, !set);
        let again = ask(world, &request).await;
        assert_eq!(again.status, if set { 403 } else { 204 }, "{again:?}");
        assert!(signs_in(world, "ada", ANOTHER).await);
        assert!(!signs_in(world, "ada", PASSWORD).await);
        assert!(!is_good(world, session).await);
    })
}

/// The password is the old one and all sessions are good, or it is the new one and only this session is.
pub(crate) async fn set_password(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let [this, other] = cast.sessions.each_ref().map(|session| &session["access_token"]);
    let body = json!({ "current_password": PASSWORD, "new_password": ANOTHER });
    let request = with_token(this, "PUT", "/v1/account/password", Some(body));
    Case::request(&request, &[204], &[]).then(async move |answer| {
        let set = signs_in(world, "ada", ANOTHER).await;
        assert!(set || answer.status != 204, "{answer:?}");
        assert_eq!(is_good(world, other).await, !set);
        assert!(is_good(world, this).await);
        let again = ask(world, &request).await;
        assert_eq!(again.status, 204, "{again:?}");
        assert!(signs_in(world, "ada", ANOTHER).await);
        assert!(!is_good(world, other).await);
        assert!(is_good(world, this).await);
    })
}

/// The quota is the old one or the new one, and what is used of it stays what it is.
pub(crate) async fn set_quota(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    file_of(&ada, "a", None, &bytes(1, 300)).await;
    let event = json!({ "username": "ada", "quota_bytes": 5000 });
    Case::new(Act::Event(event.clone()), &[200], &[]).then(async move |_| {
        assert_eq!(used(&ada).await, 300);
        let account = invoke(world, "account-set-quota", event).await;
        assert_eq!(
            (&account["quota_bytes"], &account["used_bytes"]),
            (&json!(5000), &json!(300))
        );
        let shown = ada.call("GET", "/v1/account", None).await;
        assert_eq!(shown.body["quota_bytes"], 5000);
    })
}

/// The account is an operator, or not yet.
pub(crate) async fn set_role(cast: Cast<'_>) -> Case<'_> {
    let Cast { world, ada, .. } = cast;
    let event = json!({ "username": "ada", "role": "operator" });
    Case::new(Act::Event(event.clone()), &[200], &[]).then(async move |answer| {
        let targets = ada.call("GET", "/v1/targets", None).await;
        assert!(targets.status == 200 || answer.status != 200, "{targets:?}");
        let account = invoke(world, "account-set-role", event).await;
        assert_eq!(account["role"], "operator");
        let targets = ada.call("GET", "/v1/targets", None).await;
        assert_eq!(targets.status, 200, "{targets:?}");
    })
}

/// Files, folders and an upload, of which nothing must stay.
pub(crate) async fn furnish(ada: &Person<'_>) {
    let outer = folder(ada, "outer", None).await;
    let inner = folder(ada, "inner", Some(&outer)).await;
    file_of(ada, "a", Some(&inner), &bytes(1, 100)).await;
    let begun = ada.begin("b", None, &bytes(2, 200), false, "rename").await;
    ada.send_parts(&text(&begun.body["id"]), &bytes(2, 200))
        .await
        .expect("sent");
}

/// What is written about an account.
fn rows_of(world: &World, id: &str) -> Vec<Value> {
    let pk = format!("ACCOUNT#{id}");
    world
        .rows()
        .into_iter()
        .filter(|row| row["pk"] == pk.as_str())
        .collect()
}

/// The request of somebody with these sessions to delete their account.
pub(crate) fn to_delete(sessions: &[Value; 2]) -> Request {
    let body = json!({ "current_password": PASSWORD });
    with_token(&sessions[0]["access_token"], "DELETE", "/v1/account", Some(body))
}

/// When a day has passed nothing is left of an account that was deleted.
pub(crate) async fn is_gone_in_a_day(world: &World, id: &str) {
    a_day_passes(world).await;
    let left = rows_of(world, id);
    assert!(left.is_empty(), "{left:?}");
}

/// The account is there with all that it has, or nobody can sign in and nothing of it stays.
pub(crate) async fn delete(cast: Cast<'_>) -> Case<'_> {
    let Cast {
        world, ada, sessions, ..
    } = cast;
    furnish(&ada).await;
    let request = to_delete(sessions);
    Case::request(&request, &[204], &[]).then(async move |answer| {
        let again = ask(world, &request).await;
        // It is closed already, and so the session is over.
        let closed = answer.status == 204;
        assert!(again.status == 401 || !closed && again.status == 204, "{again:?}");
        assert!(!signs_in(world, "ada", PASSWORD).await);
        is_gone_in_a_day(world, &ada.id).await;
        let name_is_free = json!({ "username": "ada", "password": PASSWORD });
        let another = with_token(&Value::Null, "POST", "/v1/accounts", Some(name_is_free));
        assert_eq!(ask(world, &another).await.status, 201);
    })
}
