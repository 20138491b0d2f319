//! Copies of files at other stores, and how the stores do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaState {
    /// Waiting for its turn.
    Pending,
    /// Under way.
    Copying,
    /// Complete and verified.
    Available,
    /// Given up; see `last_error`.
    Failed,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// One copy of a file's bytes at one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// The configured name of the target.
    pub target: String,
    /// What kind of store that is.
    #[serde(default)]
    pub kind: Option<String>,
    /// How far it is.
    pub state: ReplicaState,
    /// Bytes copied and verified so far.
    pub bytes_done: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    #[serde(default)]
    pub last_error: Option<String>,
    /// The object's key in the target's bucket.
    #[serde(default)]
    pub key: Option<String>,
    /// When it began to wait.
    pub since: Timestamp,
    /// When it became available.
    #[serde(default)]
    pub available_at: Option<Timestamp>,
    /// How long it took to become available, or has been taking so far.
    pub lag_seconds: u64,
    /// When it last moved.
    pub updated_at: Timestamp,
}

/// Whether a target gets replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetStatus {
    /// It does.
    Active,
    /// It does not, and what it has is removed from it.
    Draining,
    /// Nobody can sign in there any more; its replicas are forgotten.
    Retired,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// Whether workers are let through to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// They are.
    Closed,
    /// They are not, because it failed too often.
    Open,
    /// One is, to see whether it goes better.
    Probing,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// How a target has been doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Whether workers are let through.
    pub state: CircuitState,
    /// Until when nobody is.
    #[serde(default)]
    pub open_until: Option<Timestamp>,
    /// Failures in a row.
    #[serde(default)]
    pub failures: u32,
    /// What the last of them was.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How replication to one target goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its configured name.
    pub name: String,
    /// What kind of store it is.
    pub kind: String,
    /// Whether it gets replicas.
    pub status: TargetStatus,
    /// How it has been doing.
    pub circuit: Circuit,
    /// Replicas waiting or under way.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Replicas given up.
    pub failed: u64,
    /// Their bytes.
    pub failed_bytes: u64,
    /// Replicas complete and verified.
    pub available: u64,
    /// Their bytes.
    pub available_bytes: u64,
    /// Since when the oldest of the pending ones has been waiting.
    #[serde(default)]
    pub oldest_pending_since: Option<Timestamp>,
    /// How long that is; 0 when none is pending.
    pub lag_seconds: u64,
    /// How fast bytes are copied there.
    pub bytes_per_second: u64,
}

/// What asking for given-up replicas to be tried again did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// How many will be tried again.
    pub redriven: u64,
    /// Whether there are more, for which it has to be asked again.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_in_trouble_reads_whole() {
        let target: Target = serde_json::from_value(json!({
            "name": "oss", "kind": "oss", "status": "draining",
            "circuit": {"state": "open", "open_until": "2026-11-20T10:05:00Z", "failures": 7, "reason": "503 (SlowDown)"},
            "pending": 3, "pending_bytes": 300, "failed": 2, "failed_bytes": 200, "available": 1,
            "available_bytes": 100, "oldest_pending_since": "2026-11-20T10:00:00Z", "lag_seconds": 125,
            "bytes_per_second": 17_000_000,
        }))
        .unwrap();
        assert_eq!(
            (target.status, target.circuit.state),
            (TargetStatus::Draining, CircuitState::Open)
        );
        assert_eq!(
            (target.circuit.failures, target.circuit.reason.as_deref()),
            (7, Some("503 (SlowDown)"))
        );
        assert_eq!(
            target.circuit.open_until,
            Some("2026-11-20T10:05:00Z".parse().unwrap())
        );
        assert_eq!((target.pending, target.failed, target.available), (3, 2, 1));
        assert_eq!(
            (target.pending_bytes, target.failed_bytes, target.available_bytes),
            (300, 200, 100)
        );
        assert_eq!((target.lag_seconds, target.bytes_per_second), (125, 17_000_000));
    }

    #[test]
    fn a_target_at_rest_reads_and_new_words_are_other() {
        let target: Target = serde_json::from_value(json!({
            "name": "ceph", "kind": "ceph", "status": "asleep", "circuit": {"state": "ajar", "failures": 0},
            "pending": 0, "pending_bytes": 0, "failed": 0, "failed_bytes": 0, "available": 0, "available_bytes": 0,
            "lag_seconds": 0, "bytes_per_second": 0, "mood": "good",
        }))
        .unwrap();
        assert_eq!(
            (target.status, target.circuit.state),
            (TargetStatus::Other, CircuitState::Other)
        );
        assert_eq!(
            (target.oldest_pending_since, target.circuit.open_until),
            (None, None)
        );
    }

    #[test]
    fn a_replica_says_how_long_it_took() {
        let replica: Replica = serde_json::from_value(json!({
            "target": "ceph", "kind": "ceph", "state": "available", "bytes_done": 5, "attempts": 2,
            "last_error": "put: 503", "key": "k", "since": "2026-11-20T10:00:00Z",
            "available_at": "2026-11-20T10:00:09Z", "lag_seconds": 9, "updated_at": "2026-11-20T10:00:09Z",
        }))
        .unwrap();
        assert_eq!(replica.lag_seconds, 9);
        assert_eq!(
            replica.available_at,
            Some("2026-11-20T10:00:09Z".parse().unwrap())
        );
        assert_eq!(replica.since, "2026-11-20T10:00:00Z".parse().unwrap());
    }
}
