//! `account-create` by invitation, `account-invite`, `account-reset-password`.

use super::{Scenario, check_status, sent_again};
use crate::harness::aws::invoke;
use crate::harness::bytes::unique;
use crate::harness::person::{Invitation, PASSWORD, Person, anonymous, invitation, is_good};
use crate::harness::sandbox::http_event;
use serde_json::{Value, json};

/// A code that nobody was told is listed and can be revoked.
pub(super) struct Invite {
    note: String,
}

impl Scenario for Invite {
    const FUNCTION: &'static str = "account-invite";
    const CALLS: usize = 1;

    async fn prepare() -> Self {
        let note = format!("{:x}", unique());
        Self { note }
    }

    fn people(&self) -> Vec<&Person> {
        Vec::new()
    }

    fn event(&self) -> Value {
        json!({ "action": "create", "for": self.note })
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        let given = answer["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("lsi_"));
        assert!(given || failed && !answer["error"].is_null(), "{what}: {answer}");
    }

    async fn again(&self, what: &str) {
        let listed = invoke("account-invite", &json!({ "action": "list" }))
            .await
            .unwrap();
        let items = listed["items"].as_array().unwrap().iter();
        let mine: Vec<&Value> = items.filter(|item| item["for"] == self.note).collect();
        assert!(mine.len() <= 1, "{what}: {mine:?}");
        for item in mine {
            let revoke = json!({ "action": "revoke", "id": item["id"] });
            invoke("account-invite", &revoke).await.unwrap();
        }
        let Invitation { id, .. } = invitation(&self.event()).await;
        invoke("account-invite", &json!({ "action": "revoke", "id": id }))
            .await
            .unwrap();
    }
}

/// The password is the old one, the sessions are good and the code is; or it is the new one, and neither is.
pub(super) struct ResetPassword {
    person: Person,
    code: String,
}

const ANOTHER: &str = "another good one";

impl Scenario for ResetPassword {
    const FUNCTION: &'static str = "account-reset-password";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let code = person.password_code().await;
        Self { person, code }
    }

    fn people(&self) -> Vec<&Person> {
        Vec::new()
    }

    fn event(&self) -> Value {
        let body = json!({ "username": self.person.username, "code": self.code, "password": ANOTHER });
        http_event("account-reset-password", None, "", Some(&body))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, sent_again(&[403]), what);
    }

    async fn again(&self, what: &str) {
        let (api, name) = (anonymous(), &self.person.username);
        let set = api.create_session(name, ANOTHER).await.is_ok();
        assert_eq!(is_good(&self.person.token, what).await, !set, "{what}");
        let again = api.reset_password(name, &self.code, ANOTHER).await;
        let used = again.as_ref().is_err_and(|error| error.is("invitation_invalid"));
        assert_eq!((set, !set), (used, again.is_ok()), "{what}: {again:?}");
        api.create_session(name, ANOTHER).await.unwrap();
        assert!(api.create_session(name, PASSWORD).await.is_err(), "{what}");
        assert!(!is_good(&self.person.token, what).await, "{what}");
    }
}
