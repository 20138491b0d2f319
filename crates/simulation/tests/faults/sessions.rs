//! Sessions.

use crate::cast::{Cast, ask, is_good, with_token};
use crate::runner::Case;
use serde_json::{Value, json};
use simulation::person::PASSWORD;

/// Signing in again works.
pub(crate) async fn sign_in(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    let request = with_token(&Value::Null, "POST", "/v1/sessions", Some(credentials));
    Case::request(&request, &[201], &[]).then(async move |answer| {
        if answer.status == 201 {
            assert!(is_good(world, &answer.body["access_token"]).await);
        }
        let again = ask(world, &request).await;
        assert_eq!(again.status, 201, "{again:?}");
        assert!(is_good(world, &again.body["access_token"]).await);
    })
}

/// A client that gets no answer and exchanges the token again goes on, and is not taken for a thief.
pub(crate) async fn refresh(cast: Cast<'_>) -> Case<'_> {
    let (world, session) = (cast.world, &cast.sessions[0]);
    let body = json!({ "refresh_token": session["refresh_token"] });
    let request = with_token(&Value::Null, "POST", "/v1/sessions/refresh", Some(body));
    Case::request(&request, &[200], &[]).then(async move |answer| {
        let again = ask(world, &request).await;
        assert_eq!(again.status, 200, "{again:?}");
        if answer.status == 200 {
            assert_eq!(answer.body["refresh_token"], again.body["refresh_token"]);
        }
        assert!(is_good(world, &again.body["access_token"]).await);
        let body = json!({ "refresh_token": again.body["refresh_token"] });
        let next = with_token(&Value::Null, "POST", "/v1/sessions/refresh", Some(body));
        assert_eq!(ask(world, &next).await.status, 200);
    })
}

/// The session is over when somebody was told so, and can be ended again.
pub(crate) async fn sign_out(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let [this, other] = cast.sessions.each_ref().map(|session| &session["access_token"]);
    let request = with_token(this, "DELETE", "/v1/sessions/current", None);
    Case::request(&request, &[204], &[]).then(async move |answer| {
        assert!(answer.status != 204 || !is_good(world, this).await);
        let again = ask(world, &request).await;
        assert!([204, 401].contains(&again.status), "{again:?}");
        assert!(!is_good(world, this).await);
        assert!(is_good(world, other).await);
    })
}

/// One of many is over when somebody was told so, and can be ended again.
pub(crate) async fn revoke(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let [this, other] = cast.sessions.each_ref().map(|session| &session["access_token"]);
    let listed = ask(world, &with_token(other, "GET", "/v1/sessions", None)).await;
    let mut all = listed.body["items"].as_array().into_iter().flatten();
    let current = all
        .find(|session| session["current"] == true)
        .expect("its own session");
    let id = current["id"].as_str().expect("an id");
    let request = with_token(this, "DELETE", format!("/v1/sessions/{id}"), None);
    // Its own answer may have got lost.
    Case::request(&request, &[204], &[404]).then(async move |answer| {
        assert!(answer.status != 204 || !is_good(world, other).await);
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        assert!(!is_good(world, other).await);
        assert!(is_good(world, this).await);
    })
}

/// All sessions are over, or none.
pub(crate) async fn sign_out_everywhere(cast: Cast<'_>) -> Case<'_> {
    let world = cast.world;
    let [this, other] = cast.sessions.each_ref().map(|session| &session["access_token"]);
    let request = with_token(this, "DELETE", "/v1/sessions", None);
    Case::request(&request, &[204], &[]).then(async move |answer| {
        let over = !is_good(world, this).await;
        assert!(over || answer.status != 204);
        assert_eq!(is_good(world, other).await, !over);
        let again = ask(world, &request).await;
        assert_eq!(again.status, if over { 401 } else { 204 }, "{again:?}");
        assert!(!is_good(world, this).await && !is_good(world, other).await);
    })
}
