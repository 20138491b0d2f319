//! Late writes about accounts, sessions, tokens and invitations.

use crate::scene::{Scene, lived};
use serde_json::{Value, json};
use simulation::gateway::{Request, Response};
use simulation::person::PASSWORD;
use std::time::Duration;

const ANOTHER_PASSWORD: &str = "another horse battery";

/// What somebody has who signed in.
async fn session(scene: &Scene<'_>) -> Value {
    let body = json!({ "username": "ann", "password": PASSWORD });
    let signed_in = ask(scene, &Value::Null, "POST", "/v1/sessions", body).await;
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    signed_in.body
}

async fn ask(scene: &Scene<'_>, session: &Value, method: &'static str, path: &str, body: Value) -> Response {
    let token = session["access_token"].as_str().map(str::to_owned);
    let body = Some(body).filter(|body| !body.is_null());
    let path = path.to_owned();
    let request = Request {
        method,
        path,
        token,
        key: None,
        body,
    };
    scene.send(&request).await
}

/// A token is made late. Returns whether there is one that was not there after the sessions had ended.
async fn token_after(scene: &Scene<'_>, path: &str) -> Option<String> {
    let mine = session(scene).await;
    let new = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    scene.hold();
    ask(scene, &mine, "POST", "/v1/tokens", new).await;
    let ended = ask(scene, &mine, "DELETE", path, Value::Null).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let other = session(scene).await;
    let tokens = async || ask(scene, &other, "GET", "/v1/tokens", Value::Null).await.body["items"].take();
    assert_eq!(tokens().await, json!([]));
    scene.let_go().await;
    let there = tokens().await;
    (there != json!([])).then(|| format!("a session that has ended made {there}"))
}

/// The session that asks for it has ended.
pub(crate) fn a_token_of_an_ended_session(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        token_after(scene, "/v1/sessions/current").await
    })
}

/// All have.
pub(crate) fn a_token_of_ended_sessions(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        token_after(scene, "/v1/sessions").await
    })
}

/// All have, and had before.
pub(crate) fn a_token_of_sessions_ended_again(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let first = session(scene).await;
        ask(scene, &first, "DELETE", "/v1/sessions", Value::Null).await;
        token_after(scene, "/v1/sessions").await
    })
}

/// Somebody signs out whose refresh token is being exchanged.
pub(crate) fn a_refresh_of_an_ended_session(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let mine = session(scene).await;
        let refresh = json!({ "refresh_token": mine["refresh_token"] });
        scene.hold();
        ask(scene, &Value::Null, "POST", "/v1/sessions/refresh", refresh).await;
        ask(scene, &mine, "DELETE", "/v1/sessions/current", Value::Null).await;
        scene.let_go().await;
        let seen = ask(scene, &mine, "GET", "/v1/account", Value::Null).await;
        (seen.status != 401).then(|| format!("a session that has ended sees {seen:?}"))
    })
}

/// Somebody signs out whose password is being changed.
pub(crate) fn a_new_password_of_an_ended_session(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let mine = session(scene).await;
        let change = json!({ "current_password": PASSWORD, "new_password": ANOTHER_PASSWORD });
        scene.hold();
        ask(scene, &mine, "PUT", "/v1/account/password", change).await;
        ask(scene, &mine, "DELETE", "/v1/sessions/current", Value::Null).await;
        scene.let_go().await;
        let rows = scene.world.rows();
        let is_torso = |row: &&Value| {
            let is_session = row["sk"].as_str().is_some_and(|sk| sk.starts_with("SESSION#"));
            is_session && row["id"].is_null()
        };
        let torso = rows.iter().find(is_torso);
        torso.map(|row| format!("nobody can read {row}"))
    })
}

async fn code(scene: &Scene<'_>, wanted: Value) -> Value {
    scene.invoke("account-invite", wanted).await
}

/// An account whose password is reset is deleted.
pub(crate) fn a_new_password_of_a_deleted_account(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let wanted = json!({ "action": "reset_password", "username": "ann" });
        let code = code(scene, wanted).await["code"].take();
        let reset = json!({ "username": "ann", "code": code, "password": ANOTHER_PASSWORD });
        scene.hold();
        ask(scene, &Value::Null, "POST", "/v1/accounts/password", reset).await;
        gone_by_now(scene).await
    })
}

/// The account is deleted, and the write comes. Returns what is there of it.
async fn gone_by_now(scene: &Scene<'_>) -> Option<String> {
    let body = json!({ "current_password": PASSWORD });
    let deleted = scene.ann.call("DELETE", "/v1/account", Some(body)).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    for _ in 0..4 {
        scene.sweep_after(Duration::from_mins(10)).await;
    }
    scene.let_go().await;
    let rows = scene.world.rows();
    let pk = format!("ACCOUNT#{}", scene.ann.id);
    let left = rows.iter().find(|row| row["pk"] == pk.as_str());
    left.map(|row| format!("of an account that is gone: {row}"))
}

/// An account that gets another role is deleted.
pub(crate) fn a_role_of_a_deleted_account(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        scene.hold();
        let event = json!({ "username": "ann", "role": "operator" });
        scene.invoke("account-set-role", event).await;
        gone_by_now(scene).await
    })
}

/// An invitation is taken back that was used by now.
pub(crate) fn an_invitation_that_was_used(condition: &str, is_dropped: bool) -> Option<String> {
    lived(condition, is_dropped, async |scene| {
        let made = code(scene, json!({ "action": "create" })).await;
        let revoke = json!({ "action": "revoke", "id": made["id"] });
        scene.hold();
        scene.invoke("account-invite", revoke).await;
        let new = json!({ "username": "bob", "password": PASSWORD, "invitation": made["code"] });
        let made = ask(scene, &Value::Null, "POST", "/v1/accounts", new).await;
        assert_eq!(made.status, 201, "{made:?}");
        scene.let_go().await;
        let listed = code(scene, json!({ "action": "list" })).await;
        let used = listed["items"].as_array().into_iter().flatten();
        let known = used.filter(|invitation| invitation["used_by"] == "bob").count();
        (known == 0).then(|| format!("nobody knows who invited bob: {listed}"))
    })
}
