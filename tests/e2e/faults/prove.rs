//! `upload-prove`.

use super::{Scenario, check_status};
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use crate::harness::proof::{PROVABLE, proof_of};
use crate::harness::sandbox::http_event;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
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
        let (owner, person) = (Person::not_signed_in().await, Person::not_signed_in().await);
        let bytes = fresh(PROVABLE);
        let first = owner.sent("a", &bytes).await;
        owner.complete(&first.id).await.expect(200);
        let upload = person.challenged("b", &bytes).await;
        Self {
            owner,
            person,
            bytes,
            upload,
        }
    }

    fn id(&self) -> &str {
        self.upload["id"].as_str().unwrap()
    }

    fn event(&self, proof: &str) -> Value {
        let body = json!({ "proof": proof });
        let resource = "/v1/uploads/{id}/proof";
        http_event("POST", resource, Some(self.id()), &self.person.token, Some(&body))
    }

    async fn has_the_file(&self, what: &str) {
        let files = self.person.api.all_files(None).await.unwrap();
        assert_eq!(files.len(), 1, "{what}");
        assert_eq!(self.person.used().await, self.bytes.len() as u64, "{what}");
    }
}

/// The file is there or it is not, and whoever has the bytes gets it in the end.
pub(super) struct Right(Asked);

impl Right {
    fn proof(&self) -> String {
        proof_of(&self.0.upload["challenge"], &self.0.bytes)
    }
}

impl Scenario for Right {
    const FUNCTION: &'static str = "upload-prove";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        Self(Asked::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.owner, &self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event(&self.proof())
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let answer = self.0.person.prove(self.0.id(), &self.proof()).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let upload = answer.json();
        assert_eq!(
            upload["state"], "complete",
            "{what}: the right answer was lost: {upload}"
        );
        self.0.has_the_file(what).await;
    }
}

/// However the wrong answer came, it gives no file, and the bytes can be sent.
pub(super) struct Wrong(Asked);

impl Wrong {
    fn proof(&self) -> String {
        let mut proof = BASE64
            .decode(proof_of(&self.0.upload["challenge"], &self.0.bytes))
            .unwrap();
        proof[31] ^= 1;
        BASE64.encode(proof)
    }
}

impl Scenario for Wrong {
    const FUNCTION: &'static str = "upload-prove";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        Self(Asked::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.owner, &self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event(&self.proof())
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let (person, id) = (&self.0.person, self.0.id());
        let answer = person.prove(id, &self.proof()).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_eq!(answer.json()["state"], "open", "{what}");
        // The right one comes too late: there was one try.
        let right = proof_of(&self.0.upload["challenge"], &self.0.bytes);
        let late = person.prove(id, &right).await.expect(200).json();
        assert_eq!(late["state"], "open", "{what}");
        person.send_parts(id, &self.0.bytes, [1]).await;
        person.complete(id).await.expect(200);
        self.0.has_the_file(what).await;
    }
}
