//! A sweep that finds nothing due but what a test made due for it, and that no other sweep takes away from it.
//!
//! The index of due items has shards, of each class of items its own. What is moved to a shard that no sweep asks for is due
//! for nobody; a sweep whose questions are rewritten on their way finds it there. So tests can age their things, and have each
//! call of a sweep fail, while the deployed sweep runs every minute.

use super::aws::{self, partition};
use super::bytes::unique;
use super::leases::name_leases;
use super::person::Person;
use super::proxy::{Act, Seen};
use super::sandbox::Sandbox;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// A time at which everything that is due has been for long, in seconds since 1970 and as rows have it.
const LONG_AGO: (u64, &str) = (1_577_836_800, "2020-01-01T00:00:00Z");

/// A shard of its own, and what is in it.
pub(crate) struct PrivateSweep {
    shard: String,
}

impl PrivateSweep {
    pub(crate) fn new() -> Self {
        Self {
            shard: format!("e2e-{:x}", unique()),
        }
    }

    /// Makes an item due here and nowhere else, with other attributes besides.
    pub(crate) async fn take(&self, pk: &str, sk: &str, attributes: &Value) {
        let class = match sk {
            "BLOB" => "b",
            "ACCOUNT" => "a",
            _ => "",
        };
        let shard = format!("{}{class}", self.shard);
        let mut all = json!({ "due_shard": shard, "due_at": LONG_AGO.0 });
        all.as_object_mut()
            .unwrap()
            .extend(attributes.as_object().unwrap().clone());
        aws::set(pk, sk, &all).await;
    }

    /// Makes all of a person's uploads due here on which the sweep may have to do something, as if the function at work
    /// had died long ago. Open ones stay open.
    pub(crate) async fn take_uploads(&self, person: &Person) {
        for row in partition(&person.partition()).await {
            if row["sk"].as_str().unwrap().starts_with("UPLOAD#") && !row["due_at"].is_null() {
                self.take(
                    row["pk"].as_str().unwrap(),
                    row["sk"].as_str().unwrap(),
                    &aged(&row),
                )
                .await;
            }
        }
    }

    /// Makes an upload due here: its time is over.
    pub(crate) async fn take_expired(&self, person: &Person, upload: &str) {
        let over = json!({ "expires_at": LONG_AGO.1 });
        self.take(&person.partition(), &format!("UPLOAD#{upload}"), &over)
            .await;
    }

    /// The sweep, which has this shard only.
    pub(crate) async fn sandbox(&self, rule: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Sandbox {
        let sandbox = Sandbox::start("sweep", rule).await;
        self.take_what_is_written_by(&sandbox);
        sandbox
    }

    /// What a function makes due from now on is due here and nowhere else; and if it is the sweep, it looks here.
    pub(crate) fn take_what_is_written_by(&self, function: &Sandbox) {
        let shard = self.shard.clone();
        let leases = format!("{:x}", unique());
        function.proxy.on_send(move |seen| {
            let mut request = seen.json()?;
            let moved = move_to(&shard, &mut request);
            (name_leases(&leases, &mut request) || moved).then_some(request)
        });
    }

    /// One sweep, by the real function, without faults. Returns its report.
    pub(crate) async fn run(&self) -> Value {
        self.run_for(Duration::from_mins(1)).await
    }

    /// The same with so much time.
    pub(crate) async fn run_for(&self, time: Duration) -> Value {
        let mut sandbox = self.sandbox(|_| Act::Pass).await;
        sandbox.set_time(time);
        let report = sandbox.invoke(&event()).await.unwrap();
        assert_eq!(report["failed"], 0, "{report}");
        report
    }
}

/// Names this shard wherever a request to the table names one. Whether it does.
fn move_to(shard: &str, request: &mut Value) -> bool {
    match request {
        Value::Object(members) => {
            let mut moved = false;
            for (name, value) in members {
                let named = value["S"].as_str().unwrap_or_default();
                let class = named.trim_end_matches(|c: char| c.is_ascii_digit());
                moved |= match name.as_str() {
                    // Where the next page begins: it has been there already.
                    "due_shard" if named.starts_with(shard) => false,
                    "due_shard" | ":due_shard" => {
                        *value = json!({ "S": format!("{shard}{class}") });
                        true
                    }
                    // Of the shards of a class that the sweep looks at, the first stands for all. What waits at targets has
                    // other shards, and is everybody's.
                    ":shard" if !named.is_empty() && class.len() <= 1 => {
                        let first = named == format!("{class}0");
                        let mine = if first {
                            format!("{shard}{class}")
                        } else {
                            "nobody's".to_owned()
                        };
                        *value = json!({ "S": mine });
                        true
                    }
                    _ => move_to(shard, value),
                };
            }
            moved
        }
        Value::Array(values) => values
            .iter_mut()
            .fold(false, |moved, value| move_to(shard, value) | moved),
        _ => false,
    }
}

/// What a sweep is invoked with.
pub(crate) fn event() -> Value {
    json!({ "source": "aws.events" })
}

/// What an upload's row says when its due time has come.
fn aged(row: &Value) -> Value {
    match row["state"].as_str().unwrap() {
        "finalizing" => json!({ "lease_until": LONG_AGO.1 }),
        "open" | "proof_required" => json!({}),
        // Longer ago than anything could still be under way, and not so long that the row itself may go.
        _ => {
            let ended = Timestamp::now() - SignedDuration::from_mins(16);
            json!({ "discard_since": ended.to_string(), "ended_at": ended.to_string() })
        }
    }
}
