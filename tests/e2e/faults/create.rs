//! `upload-create`.

use super::{Scenario, check_status};
use crate::harness::person::Person;
use crate::harness::sandbox::http_event;
use serde_json::{Value, json};

fn event(person: &Person, body: &Value) -> Value {
    http_event("upload-create", None, &person.token, Some(body))
}

/// There is an upload with its reservation, or neither; and the next try makes one.
pub(super) struct New(Person);

fn new_upload() -> Value {
    json!({ "name": "a", "size": 1000 })
}

impl Scenario for New {
    const FUNCTION: &'static str = "upload-create";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        Self(Person::not_signed_in().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0]
    }

    fn event(&self) -> Value {
        event(&self.0, &new_upload())
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let made = self.0.api.all_uploads().await.unwrap();
        assert!(made.len() <= 1, "{what}: {made:?}");
        self.0
            .call("POST", "/uploads", Some(&new_upload()))
            .await
            .expect(201);
        assert_eq!(self.0.used().await, 1000 * (made.len() as u64 + 1), "{what}");
    }
}
