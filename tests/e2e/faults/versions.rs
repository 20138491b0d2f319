//! `version-restore`, `version-update`, `version-delete`.

use super::{Scenario, check_status};
use crate::harness::audit;
use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::sandbox::http_event;
use bytes::Bytes;
use serde_json::{Value, json};

/// A file that had other bytes before: 50, and then 100.
struct Replaced {
    person: Person,
    first: Bytes,
    file: String,
}

impl Replaced {
    async fn new() -> Self {
        let (person, first) = (Person::not_signed_in().await, fresh(50));
        let file = person.store("a", None, &first).await.file.id;
        person.replace("a", &fresh(100)).await;
        Self { person, first, file }
    }

    /// The id of the version.
    fn version(&self) -> String {
        format!("{}.1", self.file)
    }

    fn event(&self, function: &str, body: Option<&Value>) -> Value {
        http_event(function, Some(&self.version()), &self.person.token, body)
    }

    /// These are the numbers of what the file has and had, the newest first, and so many bytes are used.
    async fn has(&self, numbers: &[u64], used: u64, what: &str) {
        let there = self.person.api.versions(&self.file).await.unwrap();
        let there: Vec<u64> = there.iter().map(|version| version.number).collect();
        assert_eq!(there, numbers, "{what}");
        assert_eq!(self.person.used().await, used, "{what}");
    }
}

/// The file has the old bytes in the end, and the others are a version, once.
pub(super) struct Restore(Replaced);

impl Scenario for Restore {
    const FUNCTION: &'static str = "version-restore";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        Self(Replaced::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event(Self::FUNCTION, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let Replaced { person, first, .. } = &self.0;
        let restored = person.api.restore_version(&self.0.version()).await.unwrap();
        assert_eq!(person.fetch(&restored).await, *first, "{what}");
        self.0.has(&[3, 2], 150, what).await;
    }
}

/// It is kept for good in the end, and nothing else about it is changed.
pub(super) struct Keep(Replaced);

impl Scenario for Keep {
    const FUNCTION: &'static str = "version-update";
    const CALLS: usize = 4;

    async fn prepare() -> Self {
        Self(Replaced::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event(Self::FUNCTION, Some(&json!({ "kept": true })))
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 200, failed, &[409], what);
    }

    async fn again(&self, what: &str) {
        let Replaced { person, .. } = &self.0;
        let version = person.api.keep_version(&self.0.version(), true).await.unwrap();
        assert!(
            version.kept && version.expires_at.is_none(),
            "{what}: {version:?}"
        );
        self.0.has(&[2, 1], 150, what).await;
    }
}

/// It is gone in the end: its bytes are given back once, and its blob loses one reference.
pub(super) struct Delete(Replaced);

impl Scenario for Delete {
    const FUNCTION: &'static str = "version-delete";
    const CALLS: usize = 3;

    async fn prepare() -> Self {
        Self(Replaced::new().await)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        self.0.event(Self::FUNCTION, None)
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_status(answer, 204, failed, &[404, 409], what);
    }

    async fn again(&self, what: &str) {
        let Replaced { person, first, .. } = &self.0;
        let path = format!("/versions/{}", self.0.version());
        let again = person.call("DELETE", &path, None).await;
        assert!([204, 404].contains(&again.status), "{what}: {}", again.text());
        let blob = audit::blob_of(&content_id(first).to_string()).await.unwrap();
        assert_eq!(blob["references"], 0, "{what}");
        self.0.has(&[2], 100, what).await;
    }
}
