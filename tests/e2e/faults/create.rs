//! `upload-create`.

use super::{Scenario, check_status};
use crate::harness::bytes::{fresh, unique};
use crate::harness::http::HttpResponse;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::PROVABLE;
use crate::harness::sandbox::{http_event, with_header};
use bytes::Bytes;
use client::types::UploadState;
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

/// The answers to a request that is sent twice with one key, both good and the second remembered.
async fn ask_twice(person: &Person, key: &str, body: &Value, what: &str) -> (HttpResponse, HttpResponse) {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    let ask = async || {
        let answer = person.raw("POST", "/uploads", &headers, body.to_string()).await;
        assert_eq!(answer.status, 201, "{what}: {}", answer.text());
        answer
    };
    let (first, second) = (ask().await, ask().await);
    assert_eq!(second.header("idempotency-replayed"), "true", "{what}");
    (first, second)
}

/// With an idempotency key there is one upload, however often it is asked for, and one answer.
pub(super) struct UnderKey {
    person: Person,
    key: String,
}

impl Scenario for UnderKey {
    const FUNCTION: &'static str = "upload-create";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        Self {
            person: Person::not_signed_in().await,
            key: format!("{:x}", unique()),
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        with_header(event(&self.person, &new_upload()), "Idempotency-Key", &self.key)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let (first, second) = ask_twice(&self.person, &self.key, &new_upload(), what).await;
        assert_eq!(first.text(), second.text(), "{what}");
        let made = self.person.api.all_uploads().await.unwrap();
        assert_eq!((made.len(), self.person.used().await), (1, 1000), "{what}");
        assert_eq!(first.json()["id"], made[0].id, "{what}");
    }
}

/// The account has the bytes: there is a second file at once, or none.
pub(super) struct Own {
    person: Person,
    bytes: Bytes,
}

impl Own {
    fn body(&self) -> Value {
        json!({ "name": "b", "size": self.bytes.len(), "content_id": content_id(&self.bytes) })
    }
}

impl Scenario for Own {
    const FUNCTION: &'static str = "upload-create";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let upload = person.sent("a", &bytes).await;
        person.complete(&upload.id).await.expect(200);
        Self { person, bytes }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        event(&self.person, &self.body())
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let again = self.person.call("POST", "/uploads", Some(&self.body())).await;
        assert!([201, 409].contains(&again.status), "{what}: {}", again.text());
        assert_eq!(self.person.api.all_files(None).await.unwrap().len(), 2, "{what}");
    }
}

/// The account has the bytes, and every file more gets the next name: with an idempotency key there is one more, however
/// often it is asked for, and one answer.
pub(super) struct OwnUnderKey {
    own: Own,
    key: String,
}

impl OwnUnderKey {
    fn body(&self) -> Value {
        // This name is taken: the first place that is tried is not the one that it gets.
        let mut body = self.own.body();
        (body["name"], body["on_conflict"]) = (json!("a"), json!("rename"));
        body
    }
}

impl Scenario for OwnUnderKey {
    const FUNCTION: &'static str = "upload-create";
    const CALLS: usize = 9;

    async fn prepare() -> Self {
        Self {
            own: Own::prepare().await,
            key: format!("{:x}", unique()),
        }
    }

    fn people(&self) -> Vec<&Person> {
        self.own.people()
    }

    fn event(&self) -> Value {
        let event = event(&self.own.person, &self.body());
        with_header(event, "Idempotency-Key", &self.key)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 201, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let (first, second) = ask_twice(&self.own.person, &self.key, &self.body(), what).await;
        assert_eq!(first.text(), second.text(), "{what}");
        let (made, size) = (first.json(), self.own.bytes.len() as u64);
        assert_eq!(made["state"], "complete", "{what}: {made}");
        let files = self.own.person.api.all_files(None).await.unwrap();
        let mut names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "a (1)"], "{what}");
        let second = files.iter().find(|file| file.name == "a (1)").unwrap();
        assert_eq!(made["file"]["id"], second.id, "{what}");
        assert_eq!(self.own.person.used().await, 2 * size, "{what}");
    }
}

/// Somebody else has the bytes: there is an upload with a challenge, or none.
pub(super) struct Challenged {
    owner: Person,
    person: Person,
    bytes: Bytes,
}

impl Scenario for Challenged {
    const FUNCTION: &'static str = "upload-create";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        let (owner, person) = (Person::not_signed_in().await, Person::not_signed_in().await);
        let bytes = fresh(PROVABLE);
        let upload = owner.sent("a", &bytes).await;
        owner.complete(&upload.id).await.expect(200);
        Self { owner, person, bytes }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.owner, &self.person]
    }

    fn event(&self) -> Value {
        let body = json!({ "name": "b", "size": self.bytes.len(), "content_id": content_id(&self.bytes) });
        event(&self.person, &body)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        // Where it cannot be found out whether the content is there, the bytes can still be sent.
        check_status(answer, 200, failed, &[201, 409], what);
    }

    async fn again(&self, what: &str) {
        let made = self.person.api.all_uploads().await.unwrap();
        assert!(made.len() <= 1, "{what}: {made:?}");
        let upload = self.person.challenged("b", &self.bytes).await;
        let shown = self
            .person
            .api
            .upload(upload["id"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(shown.state, UploadState::ProofRequired, "{what}");
        assert_eq!(
            self.person.used().await,
            (made.len() as u64 + 1) * self.bytes.len() as u64,
            "{what}"
        );
    }
}
