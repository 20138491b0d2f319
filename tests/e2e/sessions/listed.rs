//! A person sees where they are signed in.

use super::is_signed_in;
use crate::harness::person::Person;
use client::types::Session;
use serde_json::Value;

async fn listed(person: &Person) -> Vec<Value> {
    let page = person.call("GET", "/sessions", None).await.expect(200).json();
    page["items"].as_array().unwrap().clone()
}

/// The id that a refresh token has in it.
fn id(session: &Session) -> String {
    let mut words = session.refresh_token.reveal().split('.');
    words.nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn all_that_go_on_are_listed() {
    let person = Person::new().await;
    let other = person.sign_in().await;
    let over = person.sign_in().await;
    assert!(is_signed_in(over.access_token.reveal()).await);
    client::Api::end_session(&crate::harness::person::anonymous().with_token(over.access_token.clone()))
        .await
        .unwrap();
    let sessions = listed(&person).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let current: Vec<_> = sessions
        .iter()
        .filter(|session| session["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    assert_ne!(current[0]["id"], id(&other).as_str());
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
    let api = crate::harness::person::anonymous().with_token(again.access_token.clone());
    let person = Person {
        api,
        token: again.access_token.reveal().to_owned(),
        ..person
    };
    let sessions = listed(&person).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(sessions[0]["id"], id(&again).as_str());
}
