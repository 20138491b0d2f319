//! A person sees where they are signed in, and ends one session.

use super::is_signed_in;
use crate::harness::person::{Person, anonymous, session_of};
use serde_json::Value;

async fn listed(person: &Person) -> Vec<Value> {
    let page = person.call("GET", "/sessions", None).await.expect(200).json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn all_that_go_on_are_listed() {
    let person = Person::new().await;
    let other = person.sign_in().await;
    let over = person.sign_in().await;
    assert!(is_signed_in(over.access_token.reveal()).await);
    anonymous()
        .with_token(over.access_token.clone())
        .end_session()
        .await
        .unwrap();
    let sessions = listed(&person).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let current: Vec<_> = sessions
        .iter()
        .filter(|session| session["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    assert_ne!(current[0]["id"], session_of(&other).as_str());
    for session in &sessions {
        let client = session["client"].as_str().unwrap();
        assert!(client.starts_with("longshore/"), "{client}");
        assert!(session["created_at"].as_str() < session["expires_at"].as_str());
    }
    // A stranger sees their own.
    assert_eq!(listed(&Person::new().await).await.len(), 1);
}

#[tokio::test]
async fn those_that_were_signed_out_everywhere_are_not() {
    let person = Person::new().await;
    for _ in 0..3 {
        person.sign_in().await;
    }
    assert_eq!(listed(&person).await.len(), 4);
    person.call("DELETE", "/sessions", None).await.expect(204);
    let again = person.sign_in().await;
    let api = anonymous().with_token(again.access_token.clone());
    let person = Person {
        api,
        token: again.access_token.reveal().to_owned(),
        ..person
    };
    let sessions = listed(&person).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(sessions[0]["id"], session_of(&again).as_str());
}

#[tokio::test]
async fn one_is_ended_and_the_others_go_on() {
    let person = Person::new().await;
    let (lost, kept) = (person.sign_in().await, person.sign_in().await);
    let path = format!("/sessions/{}", session_of(&lost));
    let stranger = Person::new().await;
    stranger.call("DELETE", &path, None).await.expect(404);
    assert!(
        is_signed_in(lost.access_token.reveal()).await,
        "a stranger ends nothing"
    );
    person.call("DELETE", &path, None).await.expect(204);
    assert!(!is_signed_in(lost.access_token.reveal()).await);
    assert!(is_signed_in(kept.access_token.reveal()).await);
    assert_eq!(listed(&person).await.len(), 2);
    person.call("DELETE", &path, None).await.expect(404);
    // Also the one that asks for it.
    let current = listed(&person)
        .await
        .into_iter()
        .find(|session| session["current"] == true);
    let path = format!("/sessions/{}", current.unwrap()["id"].as_str().unwrap());
    person.call("DELETE", &path, None).await.expect(204);
    person.call("GET", "/sessions", None).await.expect(401);
}
