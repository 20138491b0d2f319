//! `account-delete`, and the sweep that removes what a deleted account has.

use super::{PrivateSweep, Scenario, check_status, sent_again};
use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::person::{PASSWORD, Person, content_id};
use crate::harness::sandbox::http_event;
use bytes::Bytes;
use serde_json::{Value, json};

/// Longer ago than any request takes.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// Somebody with a file in a folder in a folder, and a token.
struct Leaving {
    person: Person,
    bytes: Bytes,
}

impl Leaving {
    async fn new() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let outer = person.api.create_folder("f", None).await.unwrap();
        let inner = person.api.create_folder("g", Some(&outer.id)).await.unwrap();
        person.store("a", Some(&inner.id), &bytes).await;
        let token = json!({ "name": "CI", "scopes": ["read"], "expires_in_days": 1 });
        person.call("POST", "/tokens", Some(&token)).await.expect(201);
        Self { person, bytes }
    }

    fn body() -> Value {
        json!({ "current_password": PASSWORD })
    }

    /// Makes what a closed account has due for this sweep, as if the last request before had ended long ago.
    async fn take(&self, sweep: &PrivateSweep) {
        let pk = self.person.partition();
        if aws::item(&pk, "ACCOUNT")
            .await
            .is_some_and(|row| !row["deletion_started_at"].is_null())
        {
            sweep.take_uploads(&self.person).await;
            sweep
                .take(&pk, "ACCOUNT", &json!({ "deletion_started_at": LONG_AGO }))
                .await;
        }
    }

    async fn check_gone(&self, what: &str) {
        let left = aws::partition(&self.person.partition()).await;
        assert!(left.is_empty(), "{what}: {left:?}");
        let content = content_id(&self.bytes).to_string();
        if let Some(blob) = audit::blob_of(&content).await {
            assert_eq!(blob["references"], 0, "{what}");
        }
    }
}

/// The account is there with all that it has, or nobody can sign in and nothing of it stays.
pub(super) struct Close(Leaving);

impl Scenario for Close {
    const FUNCTION: &'static str = "account-delete";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let leaving = Leaving::new().await;
        leaving.person.sent("b", &fresh(200)).await;
        Self(leaving)
    }

    fn people(&self) -> Vec<&Person> {
        Vec::new()
    }

    fn event(&self) -> Value {
        let token = &self.0.person.token;
        http_event("account-delete", None, token, Some(&Leaving::body()))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, sent_again(&[409]), what);
    }

    async fn again(&self, what: &str) {
        let person = &self.0.person;
        let again = person.call("DELETE", "/account", Some(&Leaving::body())).await;
        // It is closed already, and so the session is over.
        assert!([204, 401].contains(&again.status), "{what}: {}", again.text());
        let session = person.api.create_session(&person.username, PASSWORD).await;
        assert!(session.is_err_and(|error| error.is("unauthorized")), "{what}");
        let sweep = PrivateSweep::new();
        // What its upload left is looked at twice.
        for _ in 0..3 {
            self.0.take(&sweep).await;
            sweep.run().await;
        }
        self.0.check_gone(what).await;
    }
}
