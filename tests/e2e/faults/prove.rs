//! `upload-prove`.

use super::{Scenario, check_status};
use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::sandbox::http_event;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Somebody who is asked for a proof of bytes that somebody else has.
struct Asked {
    owner: Person,
    person: Person,
    bytes: Bytes,
    upload: Value,
}

impl Asked {
    async fn new() -> Self {
        Self::who_is(Person::not_signed_in().await, "fail").await
    }

    async fn who_is(person: Person, on_conflict: &str) -> Self {
        let (owner, bytes) = (Person::not_signed_in().await, fresh(PROVABLE));
        let first = owner.sent("a", &bytes).await;
        owner.complete(&first.id).await.expect(200);
        let body = json!({
            "name": "b", "size": bytes.len(), "content_id": content_id(&bytes), "on_conflict": on_conflict,
        });
        let upload = person.call("POST", "/uploads", Some(&body)).await;
        let upload = upload.expect(200).json();
        assert_eq!(upload["state"], "proof_required", "{upload}");
        // All that goes wrong here at once takes longer than a challenge lives.
        let id = upload["id"].as_str().unwrap();
        let mut stored = person.upload_row(id).await["challenge"].clone();
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        stored["challenge"]["expires_at"] = json!(later.to_string());
        person.set_upload(id, &json!({ "challenge": stored })).await;
        Self {
            owner,
            person,
            bytes,
            upload,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.owner, &self.person]
    }

    fn id(&self) -> &str {
        self.upload["id"].as_str().unwrap()
    }

    fn event(&self, proof: &str) -> Value {
        let body = json!({ "proof": proof });
        http_event("upload-prove", Some(self.id()), &self.person.token, Some(&body))
    }

    fn right_proof(&self) -> String {
        proof_of(&self.upload["challenge"], &self.bytes)
    }

    /// The right answer again: it is not lost, whatever became of it the first time.
    async fn is_right(&self, what: &str) {
        let answer = self.person.prove(self.id(), &self.right_proof()).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let upload = answer.json();
        assert_eq!(
            upload["state"], "complete",
            "{what}: the right answer was lost: {upload}"
        );
        self.has_the_file(what).await;
    }

    async fn has_the_file(&self, what: &str) {
        let files = self.person.api.all_files(None).await.unwrap();
        assert_eq!(files.len(), 1, "{what}");
        assert_eq!(self.person.used().await, self.bytes.len() as u64, "{what}");
    }
}

/// The file is there or it is not, and a client with the bytes gets it in the end.
pub(super) struct Right(Asked);

impl Scenario for Right {
    const FUNCTION: &'static str = "upload-prove";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        Self(Asked::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        self.0.people()
    }

    fn event(&self) -> Value {
        self.0.event(&self.0.right_proof())
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        self.0.is_right(what).await;
    }
}
