//! What the sweep does to blobs and their replicas.

use super::{check_report, event};
use crate::faults::Scenario;
use crate::harness::audit;
use crate::harness::aws;
use crate::harness::bytes::fresh;
use crate::harness::person::{Person, content_id};
use crate::harness::private_sweep::PrivateSweep;
use bytes::Bytes;
use serde_json::{Value, json};

/// A file of somebody, and the blob of it.
struct Stored {
    sweep: PrivateSweep,
    person: Person,
    bytes: Bytes,
    file: String,
    blob: String,
}

impl Stored {
    async fn new() -> Self {
        let (person, bytes) = (Person::not_signed_in().await, fresh(100));
        let upload = person.sent("a", &bytes).await.id;
        let done = person.complete(&upload).await.expect(200).json();
        let row = person.upload_row(&upload).await;
        Self {
            sweep: PrivateSweep::new(),
            blob: row["blob"].as_str().unwrap().to_owned(),
            file: done["file"]["id"].as_str().unwrap().to_owned(),
            person,
            bytes,
        }
    }

    /// The file was deleted, and the grace period is over.
    async fn deleted() -> Self {
        let stored = Self::new().await;
        stored.person.api.delete_file(&stored.file).await.unwrap();
        stored.take_blob(&stored.sweep).await;
        stored
    }

    fn partition(&self) -> String {
        format!("BLOB#{}", self.blob)
    }

    async fn row(&self) -> Option<Value> {
        aws::item(&self.partition(), "BLOB").await
    }

    async fn take_blob(&self, sweep: &PrivateSweep) {
        if self.row().await.is_some() {
            sweep.take(&self.partition(), "BLOB", &json!({})).await;
        }
    }

    /// The same content gets a new blob, whatever happened to this one.
    async fn starts_anew(&self, what: &str) {
        let upload = self.person.sent("again", &self.bytes).await.id;
        self.person.complete(&upload).await.expect(200);
        let content = content_id(&self.bytes).to_string();
        let blob = audit::blob_of(&content).await.unwrap();
        assert_ne!(
            blob["id"],
            self.blob.as_str(),
            "{what}: a reclaimed blob came back"
        );
        assert_eq!(blob["references"], 1, "{what}");
    }
}

/// A marked blob goes with all that is written about it.
pub(crate) struct Reclaim(Stored);

impl Scenario for Reclaim {
    const FUNCTION: &'static str = "sweep";
    const CALLS: usize = 6;

    async fn prepare() -> Self {
        let stored = Stored::deleted().await;
        stored.sweep.run().await;
        assert_eq!(stored.row().await.unwrap()["reclaiming"], true);
        stored.take_blob(&stored.sweep).await;
        Self(stored)
    }

    fn people(&self) -> Vec<&Person> {
        vec![&self.0.person]
    }

    fn event(&self) -> Value {
        event()
    }

    fn about(&self) -> Vec<String> {
        vec![self.0.blob.clone()]
    }

    fn check_answer(&self, answer: &Value, failed: bool, what: &str) {
        check_report(answer, "reclaimed", failed, what);
    }

    async fn age(&self, sweep: &PrivateSweep) {
        self.0.take_blob(sweep).await;
    }

    async fn again(&self, what: &str) {
        assert_eq!(
            aws::partition(&self.0.partition()).await,
            [json!(null); 0],
            "{what}"
        );
        self.0.starts_anew(what).await;
    }

    fn sweep(&self) -> Option<&PrivateSweep> {
        Some(&self.0.sweep)
    }
}
