//! Targets of a world of its own, and what is there.

use super::{Sent, World, s3, schedule};
use crate::harness::aws;
use crate::harness::proxy::Act;
use crate::harness::stack::stack;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

impl World {
    /// A target of this name: a bucket of its own in the stack's own S3.
    pub(crate) async fn new_target(&mut self, name: &str) -> Value {
        let bucket = format!("{}-{name}", self.name);
        s3("PUT", &format!("/{bucket}"), "").await.expect(200);
        self.buckets.push(bucket.clone());
        json!({
            "name": name, "kind": "ceph", "endpoint": stack().url_of("s3"), "region": stack().region,
            "bucket": bucket, "access_key_id": "test", "secret_access_key": "test",
        })
    }

    /// Writes the targets secret. Nobody knows of it yet.
    pub(crate) async fn write_targets(&self, document: &Value) {
        aws::put_secret(&self.secret, document).await;
    }

    /// Has these targets and no others, and lets all functions know.
    pub(crate) async fn set_targets(&self, targets: &[&Value]) {
        self.write_targets(&json!({ "targets": targets })).await;
        let report = self.sweep().await;
        assert_eq!(report["failed"], 0, "{report}");
    }

    pub(crate) async fn sweep(&self) -> Value {
        let mut sweep = self.function("sweep", |_| Act::Pass).await;
        sweep.invoke(&schedule()).await.unwrap()
    }

    /// Moves the last change of the targets into the past.
    pub(crate) async fn age_target_registry(&self, minutes: i64) {
        let long_ago = Timestamp::now() - SignedDuration::from_mins(minutes);
        let changed_at = json!({ "changed_at": long_ago.to_string() });
        aws::set_in(&self.name, "TARGETS", "TARGETS", &changed_at).await;
    }

    /// Moves the arrival of a replica into the past.
    pub(crate) async fn age_replica(&self, sent: &Sent, target: &str, minutes: i64) {
        let long_ago = Timestamp::now() - SignedDuration::from_mins(minutes);
        let available_at = json!({ "available_at": long_ago.to_string() });
        let sk = format!("REPLICA#{target}");
        aws::set_in(&self.name, &sent.partition(), &sk, &available_at).await;
    }

    /// The row of a replica.
    pub(crate) async fn replica(&self, sent: &Sent, target: &str) -> Option<Value> {
        self.item(&sent.partition(), &format!("REPLICA#{target}")).await
    }

    /// The names of the targets that a file has replicas at, in order.
    pub(crate) async fn replicas(&self, sent: &Sent) -> Vec<String> {
        let keys = self.sort_keys(&sent.partition()).await;
        let names = keys.iter().filter_map(|sk| sk.strip_prefix("REPLICA#"));
        names.map(str::to_owned).collect()
    }

    /// The sum of what is counted about a target's replicas.
    pub(crate) async fn counters(&self, target: &str, number: &str) -> i64 {
        let rows = aws::counters_in(&self.name, target).await;
        rows.iter().filter_map(|row| row[number].as_i64()).sum()
    }

    /// Works on all messages that can be had at once, and on those that come of them.
    pub(crate) async fn work(&self) {
        let mut worker = self.function("replicate", |_| Act::Pass).await;
        while self.queues.hand_over(&mut worker).await > 0 {}
    }

    /// The bytes that a target has of a file.
    pub(crate) async fn at(&self, target: &Value, sent: &Sent) -> Option<Bytes> {
        let answer = s3("GET", &format!("/{}/{}", bucket_of(target), sent.blob), "").await;
        if answer.status == 404 {
            return None;
        }
        Some(answer.expect(200).body)
    }

    /// Puts other bytes to where a target has a file.
    pub(crate) async fn replace_at(&self, target: &Value, sent: &Sent, bytes: &[u8]) {
        self.put_at(target, &sent.blob, bytes).await;
    }

    /// Puts an object to a target.
    pub(crate) async fn put_at(&self, target: &Value, key: &str, bytes: &[u8]) {
        let path = format!("/{}/{key}", bucket_of(target));
        s3("PUT", &path, Bytes::copy_from_slice(bytes)).await.expect(200);
    }

    /// Deletes a file at a target.
    pub(crate) async fn lose_at(&self, target: &Value, sent: &Sent) {
        let path = format!("/{}/{}", bucket_of(target), sent.blob);
        s3("DELETE", &path, "").await.expect(204);
    }
}

fn bucket_of(target: &Value) -> &str {
    target["bucket"].as_str().unwrap()
}
