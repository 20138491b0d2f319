//! Personal access tokens.

use crate::cast::{Cast, ask, is_good, text, with_token};
use crate::runner::Case;
use serde_json::{Value, json};
use simulation::gateway::Request;
use simulation::world::World;

fn wanted(session: &Value) -> Request {
    let body = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
    with_token(session, "POST", "/v1/tokens", Some(body))
}

fn ended(session: &Value, id: &Value) -> Request {
    with_token(session, "DELETE", format!("/v1/tokens/{}", text(id)), None)
}

async fn listed(world: &World, session: &Value) -> Vec<Value> {
    let answer = ask(world, &with_token(session, "GET", "/v1/tokens", None)).await;
    let mut tokens = answer.body["items"].as_array().expect("a list").clone();
    tokens.retain(|token| token["name"] == "CI");
    tokens
}

/// A token that nobody was told of can be seen and ended.
pub(crate) async fn make(cast: Cast<'_>) -> Case<'_> {
    let (world, session) = (cast.world, &cast.sessions[0]["access_token"]);
    Case::request(&wanted(session), &[201], &[]).then(async move |answer| {
        let before = listed(world, session).await.len();
        assert!(
            before == 1 || before == 0 && answer.status != 201,
            "{before}, {answer:?}"
        );
        let made = ask(world, &wanted(session)).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(is_good(world, &made.body["token"]).await);
        for token in listed(world, session).await {
            assert_eq!(ask(world, &ended(session, &token["id"])).await.status, 204);
        }
        assert!(listed(world, session).await.is_empty());
        assert!(!is_good(world, &made.body["token"]).await);
    })
}

/// The token is over when somebody was told so, and can be ended again.
pub(crate) async fn end(cast: Cast<'_>) -> Case<'_> {
    let (world, session) = (cast.world, &cast.sessions[0]["access_token"]);
    let made = ask(world, &wanted(session)).await;
    let request = ended(session, &made.body["id"]);
    // Its own answer may have got lost.
    Case::request(&request, &[204], &[404]).then(async move |answer| {
        let token = &made.body["token"];
        assert!(answer.status != 204 || !is_good(world, token).await);
        let again = ask(world, &request).await;
        assert!([204, 404].contains(&again.status), "{again:?}");
        assert!(!is_good(world, token).await);
    })
}
