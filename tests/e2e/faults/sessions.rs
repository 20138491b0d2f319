//! `session-create`, `session-refresh`, `session-delete`, `session-revoke`, `session-delete-all`, `account-set-password`,
//! `token-create`, `token-delete`.

use super::{Scenario, check_status, sent_again};
use crate::harness::person::{PASSWORD, Person, anonymous, is_good, session_of};
use crate::harness::sandbox::http_event;
use client::types::Session;
use serde_json::{Value, json};

const ANOTHER: &str = "staple correct horse";

/// Signing in again works.
pub(super) struct SignIn(Person);

impl Scenario for SignIn {
    const FUNCTION: &'static str = "session-create";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        Self(Person::not_signed_in().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0]
    }

    fn event(&self) -> Value {
        let body = json!({ "username": self.0.username, "password": PASSWORD });
        http_event("session-create", None, "", Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, sent_again(&[401]), what);
    }

    async fn again(&self, what: &str) {
        let session = self.0.sign_in().await;
        assert!(is_good(session.access_token.reveal(), what).await, "{what}");
    }
}

/// A client that gets no answer and exchanges the token again goes on, and is not taken for a thief.
pub(super) struct Refresh {
    person: Person,
    session: Session,
}

impl Refresh {
    fn body(&self) -> Value {
        json!({ "refresh_token": self.session.refresh_token.reveal() })
    }
}

impl Scenario for Refresh {
    const FUNCTION: &'static str = "session-refresh";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let session = person.sign_in().await;
        Self { person, session }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        http_event("session-refresh", None, "", Some(&self.body()))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, sent_again(&[409]), what);
    }

    async fn again(&self, what: &str) {
        // Where the exchange was made, the time in which it can be repeated may have passed: set it back.
        let (pk, sk) = self.place();
        crate::harness::aws::set(&pk, &sk, &json!({ "refreshed_at": jiff::Timestamp::now() })).await;
        let answer = self
            .person
            .call("POST", "/sessions/refresh", Some(&self.body()))
            .await;
        let answer = answer.expect(200).json();
        assert!(
            is_good(answer["access_token"].as_str().unwrap(), what).await,
            "{what}"
        );
    }
}

impl Refresh {
    fn place(&self) -> (String, String) {
        let session = self
            .session
            .refresh_token
            .reveal()
            .split('.')
            .nth(1)
            .unwrap()
            .to_owned();
        (self.person.partition(), format!("SESSION#{session}"))
    }
}

/// The session is over when somebody was told so, and can be ended again.
pub(super) struct SignOut {
    person: Person,
    session: Session,
}

impl Scenario for SignOut {
    const FUNCTION: &'static str = "session-delete";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let session = person.sign_in().await;
        Self { person, session }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let token = self.session.access_token.reveal();
        http_event("session-delete", None, token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, &[], what);
    }

    async fn again(&self, what: &str) {
        let api = anonymous().with_token(self.session.access_token.clone());
        let ended = api.end_session().await;
        let over = ended.as_ref().is_err_and(|error| error.is("unauthorized"));
        assert!(ended.is_ok() || over, "{what}: {ended:?}");
        assert!(!is_good(self.session.access_token.reveal(), what).await, "{what}");
        assert!(is_good(&self.person.token, what).await, "{what}");
    }
}

/// One of many is over when somebody was told so, and can be ended again.
pub(super) struct Revoke(SignOut);

impl Scenario for Revoke {
    const FUNCTION: &'static str = "session-revoke";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        Self(SignOut::prepare().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        let id = session_of(&self.0.session);
        http_event("session-revoke", Some(&id), &self.0.person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        // Its own answer may have got lost.
        check_status(answer, 204, failed, &[404], what);
    }

    async fn again(&self, what: &str) {
        let SignOut { person, session } = &self.0;
        let ended = person.api.revoke_session(&session_of(session)).await;
        let over = ended.as_ref().is_err_and(|error| error.is("not_found"));
        assert!(ended.is_ok() || over, "{what}: {ended:?}");
        assert!(!is_good(session.access_token.reveal(), what).await, "{what}");
        assert!(is_good(&person.token, what).await, "{what}");
    }
}

/// All sessions are over, or none.
pub(super) struct SignOutEverywhere {
    person: Person,
    session: Session,
}

impl Scenario for SignOutEverywhere {
    const FUNCTION: &'static str = "session-delete-all";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let session = person.sign_in().await;
        Self { person, session }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let token = self.session.access_token.reveal();
        http_event("session-delete-all", None, token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, sent_again(&[409]), what);
    }

    async fn again(&self, what: &str) {
        let (one, other) = (self.session.access_token.reveal(), &self.person.token);
        assert_eq!(is_good(one, what).await, is_good(other, what).await, "{what}");
        let ended = self.person.api.end_all_sessions().await;
        let over = ended.as_ref().is_err_and(|error| error.is("unauthorized"));
        assert!(ended.is_ok() || over, "{what}: {ended:?}");
        assert!(!is_good(one, what).await && !is_good(other, what).await, "{what}");
    }
}

/// The password is the old one and all sessions are good, or it is the new one and only this session is.
pub(super) struct ChangePassword {
    person: Person,
    other: Session,
}

impl Scenario for ChangePassword {
    const FUNCTION: &'static str = "account-set-password";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let other = person.sign_in().await;
        Self { person, other }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let body = json!({ "current_password": PASSWORD, "new_password": ANOTHER });
        http_event("account-set-password", None, &self.person.token, Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, sent_again(&[409]), what);
    }

    async fn again(&self, what: &str) {
        let (other, name) = (self.other.access_token.reveal(), &self.person.username);
        let changed = anonymous().create_session(name, ANOTHER).await.is_ok();
        assert_eq!(changed, !is_good(other, what).await, "{what}");
        assert!(is_good(&self.person.token, what).await, "{what}");
        self.person.api.change_password(PASSWORD, ANOTHER).await.unwrap();
        anonymous().create_session(name, ANOTHER).await.unwrap();
        assert!(!is_good(other, what).await, "{what}");
        assert!(is_good(&self.person.token, what).await, "{what}");
    }
}

/// A token that nobody was told of can be seen and ended.
pub(super) struct MakeToken(Person);

impl MakeToken {
    fn body() -> Value {
        json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 })
    }
}

impl Scenario for MakeToken {
    const FUNCTION: &'static str = "token-create";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        Self(Person::not_signed_in().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0]
    }

    fn event(&self) -> Value {
        http_event("token-create", None, &self.0.token, Some(&Self::body()))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, sent_again(&[409]), what);
    }

    async fn again(&self, what: &str) {
        let made = self
            .0
            .call("POST", "/tokens", Some(&Self::body()))
            .await
            .expect(201);
        assert!(
            is_good(made.json()["token"].as_str().unwrap(), what).await,
            "{what}"
        );
        for token in self.0.api.tokens().await.unwrap() {
            self.0.api.delete_token(&token.id).await.unwrap();
        }
        assert!(self.0.api.tokens().await.unwrap().is_empty(), "{what}");
    }
}

/// The token is over when somebody was told so, and can be ended again.
pub(super) struct EndToken {
    person: Person,
    id: String,
    token: String,
}

impl Scenario for EndToken {
    const FUNCTION: &'static str = "token-delete";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let made = person
            .call("POST", "/tokens", Some(&MakeToken::body()))
            .await
            .expect(201)
            .json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            token: text("token"),
            person,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        http_event("token-delete", Some(&self.id), &self.person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        // Its own answer may have got lost.
        check_status(answer, 204, failed, &[404], what);
    }

    async fn again(&self, what: &str) {
        let ended = self.person.api.delete_token(&self.id).await;
        let over = ended.as_ref().is_err_and(|error| error.is("not_found"));
        assert!(ended.is_ok() || over, "{what}: {ended:?}");
        assert!(!is_good(&self.token, what).await, "{what}");
    }
}
