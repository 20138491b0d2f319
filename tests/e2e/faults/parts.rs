//! `upload-get`, `upload-sign-parts`, `upload-abort`.

use super::{Scenario, check_status};
use crate::harness::aws::abort_multipart;
use crate::harness::bytes::fresh;
use crate::harness::person::Person;
use crate::harness::sandbox::http_event;
use bytes::Bytes;
use client::types::UploadState;
use domain::content::PartDigest;
use serde_json::{Value, json};

/// The store has lost the parts (a lifecycle rule): they can be sent again, whichever call finds that out and is stopped.
pub(super) struct ListParts {
    person: Person,
    bytes: Bytes,
    upload: String,
}

impl Scenario for ListParts {
    const FUNCTION: &'static str = "upload-get";
    const CALLS: usize = 5;

    async fn prepare() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(10));
        let upload = person.sent("a", &bytes).await.id;
        let row = person.upload_row(&upload).await;
        let key = format!("blobs/{}", row["blob"].as_str().unwrap());
        abort_multipart(&key, row["multipart_id"].as_str().unwrap()).await;
        Self {
            person,
            bytes,
            upload,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        http_event("upload-get", Some(&self.upload), &self.person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[], what);
    }

    async fn again(&self, what: &str) {
        let shown = self.person.api.upload(&self.upload).await.unwrap();
        if shown.state == UploadState::Open {
            assert_eq!(shown.received, Some(Vec::new()), "{what}");
            self.person.send_parts(&self.upload, &self.bytes, [1]).await;
        }
        self.person.complete(&self.upload).await.expect(200);
        assert_eq!(self.person.api.all_files(None).await.unwrap().len(), 1, "{what}");
    }
}

/// At most one multipart upload is recorded, and the upload can be ended, whatever was begun.
pub(super) struct Sign {
    person: Person,
    bytes: Bytes,
    upload: String,
}

impl Scenario for Sign {
    const FUNCTION: &'static str = "upload-sign-parts";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(10));
        let upload = person.begin("a", &bytes).await.id;
        Self {
            person,
            bytes,
            upload,
        }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        let digest = PartDigest::of(&self.bytes).to_string();
        let body = json!({ "parts": [{ "number": 1, "sha256": digest }] });
        http_event(
            "upload-sign-parts",
            Some(&self.upload),
            &self.person.token,
            Some(&body),
        )
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        self.person.send_parts(&self.upload, &self.bytes, [1]).await;
        self.person.complete(&self.upload).await.expect(200);
        assert_eq!(self.person.api.all_files(None).await.unwrap().len(), 1, "{what}");
    }
}

/// Aborting again ends it: the reservation is given back once, and nothing is left at the store.
pub(super) struct Abort {
    person: Person,
    upload: String,
}

impl Scenario for Abort {
    const FUNCTION: &'static str = "upload-abort";
    const CALLS: usize = 8;

    async fn prepare() -> Self {
        let person = Person::not_signed_in().await;
        let upload = person.sent("a", &fresh(100)).await.id;
        Self { person, upload }
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.person]
    }

    fn event(&self) -> Value {
        http_event("upload-abort", Some(&self.upload), &self.person.token, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let path = format!("/uploads/{}", self.upload);
        self.person.call("DELETE", &path, None).await.expect(204);
        assert_eq!(self.person.used().await, 0, "{what}");
    }
}
