//! Replica targets.

use crate::body::Json;
use crate::declaration::Declaration;
use crate::page::{Items, is_none};
use domain::id::TargetName;
use domain::targets::registry::TargetStatus;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The endpoints, in the order in which documents have them.
pub(crate) const ENDPOINTS: &[Declaration] = &[Declaration::of::<List>(), Declaration::of::<Redrive>()];

endpoint! {
    /// Shows how replication to each target goes
    List: "target-list", GET "/v1/targets", listTargets;
    caller: Operator(Read),
    answer: Json<Items<Target>> = "The targets",
    problems: [],
}

endpoint! {
    /// Has failed replicas of a target tried again
    Redrive: "target-redrive", POST "/v1/targets/{id}/redrive", redriveTarget;
    caller: Operator(Admin),
    path: TargetName,
    answer: Json<Redriven> = "How many",
    problems: [],
}

/// A target, and how it is doing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Target {
    /// Its configured name.
    pub name: String,
    /// What kind of store it is.
    pub kind: String,
    /// Whether it gets replicas.
    pub status: TargetStatus,
    /// How it has been doing.
    pub circuit: Circuit,
    /// How many replicas wait or are under way.
    pub pending: i64,
    /// Their bytes.
    pub pending_bytes: i64,
    /// How many replicas have failed.
    pub failed: i64,
    /// Their bytes.
    pub failed_bytes: i64,
    /// How many replicas are complete and verified.
    pub available: i64,
    /// Their bytes.
    pub available_bytes: i64,
    /// Since when the oldest of the pending ones has been waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_pending_since: Option<Timestamp>,
    /// How long that is; 0 when none is pending.
    pub lag_seconds: i64,
    /// How fast bytes are copied there.
    pub bytes_per_second: u64,
}

/// Whether a target is left alone for a while.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Circuit {
    /// `open` is left alone, `probing` is tried by one worker.
    #[schemars(extend("enum" = ["closed", "open", "probing"]))]
    pub state: &'static str,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
    /// How many failures there were in a row.
    pub failures: u32,
    /// What the last of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How many failed replicas of a target are tried again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redriven {
    /// How many.
    pub redriven: u64,
    /// Whether there are others: ask again.
    pub more: bool,
    /// How many cannot be read, and were left out; absent when there are none. The log of the function has their keys.
    #[serde(skip_serializing_if = "is_none")]
    pub skipped: usize,
}
